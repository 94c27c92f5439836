"""Steps that are recorded once and repeated without modules and autograd."""
