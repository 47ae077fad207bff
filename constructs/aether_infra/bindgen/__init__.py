"""Generates typed CDKTF classes for any Terraform provider from its schema document.

    terraform providers schema -json > schema.json
    python -m aether_infra.bindgen schema.json --provider oracle/oci --out my_bindings

What it reads is in `document`, what it calls things in `names`, what it writes in `text` and `package`. The
classes stand on `aether_infra.cdk.generated`; nothing here needs cdktf.
"""
