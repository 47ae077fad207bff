"""A picture of what gets built, drawn from Terraform JSON and from nothing else.

Documents are read (`read`) into a cloud-neutral model (`model`), which is laid out (`layout`) and rendered as SVG, as
a page of HTML, or as Mermaid. What a document does not declare is not in the picture, and what has no place of its own
in it is counted in the legend: nothing is hidden. No part of this package loads cdktf or runs a program.
"""
