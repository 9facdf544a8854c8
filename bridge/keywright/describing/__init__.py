"""Outside opinions on a photo: local vision models and cloud services, behind one protocol.

A describer names what it sees; ``vocabulary`` keeps of that what the photographer's own keywords mean. Whatever a
describer answers is text to be matched, never an instruction.
"""
