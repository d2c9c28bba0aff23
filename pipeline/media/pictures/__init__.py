"""Pictures of one output: copied where they can be, decoded, turned, scaled and encoded where they must be.

`copier` goes through a track and makes its samples; `order` believes time stamps or not; `sieve` drops what
cannot be used; `odd` re-encodes what has another shape by means of `fit`; `entry` makes the sample entry;
`bitstream` knows what differs between codecs.
"""
