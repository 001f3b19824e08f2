"""The training room: the loop as an iterator, on Lightning Fabric."""
