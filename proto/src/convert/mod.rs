//! Wire ⇄ domain conversion.
