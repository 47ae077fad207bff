"""Plain Terraform modules in HCL, made from synthesized Terraform JSON: values and texts in, texts out; no cdktf.

`module.module` puts a module together. Below it: `discover` finds out which keys can be variables, by comparing
documents with `fit`; `document` reads Terraform JSON, `syntax` and `parse` its expressions; `blocks` and `render` write
HCL as `terraform fmt` does; `variables`, `scripts` and `readme` add the rest.
"""
