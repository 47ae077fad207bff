"""Elastic nodes as Azure virtual machines, through Azure's management libraries."""
