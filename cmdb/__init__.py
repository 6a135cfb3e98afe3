"""The CMDB: claims in, a graph of configuration items out."""
