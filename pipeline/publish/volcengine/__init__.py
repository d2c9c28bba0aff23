"""Volcengine VOD: what its pages and its own clients say of an upload, a file for each part of it.

In here ``docs/N/M`` is the page https://www.volcengine.com/docs/N/M, and "the Python client" is the vendor's
package `volcengine`, 1.0.229; those for Go and Node.js are volcengine/volc-sdk-golang and volc-sdk-nodejs.
"""
