//! Names, messages and output that try to drive a terminal or to break a document.
