"""Plain Terraform modules in HCL, made from synthesized Terraform JSON: values and texts in, texts out; no cdktf."""
