//! Plans a run, leases its apps to agents and keeps the journal of what happened.
pub mod pure;
