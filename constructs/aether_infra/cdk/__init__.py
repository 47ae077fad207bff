"""Plumbing over cdktf that every cloud shares."""
