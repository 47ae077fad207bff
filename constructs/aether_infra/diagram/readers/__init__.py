"""One reader a cloud: from its types of resources to the picture's parts and rules."""
