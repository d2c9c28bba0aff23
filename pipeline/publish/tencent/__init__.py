"""Tencent VOD: ApplyUpload, the bytes to COS by temporary credentials, CommitUpload and its FileId."""
