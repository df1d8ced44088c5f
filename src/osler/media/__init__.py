"""Bytes to arrays: images, DICOM, intensity windows."""
