"""An app with our two kinds of stack, whose only resources are Terraform's own: for `cdktf deploy` without a cloud."""

from __future__ import annotations

from cdktf import App, TerraformOutput, TerraformResource

from aether_infra.cdk.remote_state import RemoteOutputs
from aether_infra.cdk.stack import BaseStack
from aether_infra.config import StateConfig

app = App()
state = StateConfig()
infrastructure = BaseStack(app, "gcp", state=state, state_name="aether/gcp")
cluster = TerraformResource(infrastructure, "cluster", terraform_resource_type="terraform_data")
cluster.add_override("input", {"kubernetes": {"endpoint": "https://192.0.2.1"}})
runtime = TerraformOutput(infrastructure, "output-runtime", value="${terraform_data.cluster.output}")
runtime.override_logical_id("runtime")

workload = BaseStack(app, "gcp-workload", state=state, state_name="aether/gcp-workload")
outputs = RemoteOutputs(workload, "infrastructure", state=state, state_name="aether/gcp")
pods = TerraformResource(workload, "pods", terraform_resource_type="terraform_data")
pods.add_override("input", outputs.text("runtime", "kubernetes", "endpoint"))
workload.add_dependency(infrastructure)
app.synth()
