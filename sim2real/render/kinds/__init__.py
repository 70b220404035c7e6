"""How every kind of picture is computed: a module of its name each, with ``prepare``.

``prepare(stage)`` is called once, before any frame; what it returns is called for every view, from any thread, and returns the
picture as the kind's format stores it. It may have a method ``ahead(frame)``, which does what all cameras share of a frame.
"""
