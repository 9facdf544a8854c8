"""What goes over the wire: the typed values that validate requests, make answers, and make the OpenAPI document.

One file for each group of endpoints, on what ``base`` gives all of them. The names of the models are the names in the
document, so each is there once.
"""
