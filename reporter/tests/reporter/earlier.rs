//! What earlier builds wrote stays readable.
//!
//! After a change of a format, what the build before it wrote is added here.

use std::path::PathBuf;

use muletrain_reporter::read::journal::read;
use muletrain_reporter::read::source::Source;
use serde_json::Value;

use crate::outputs::{assert_valid, file};

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(file("tests/fixtures").join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder}");
    paths
}

/// Every kind of record, as it was written; together they make no run.
#[test]
fn every_record_of_a_journal_is_understood() {
    for path in fixtures("records") {
        let summary = read(Source::new(std::fs::File::open(&path).unwrap())).unwrap().finish();
        assert_eq!(summary.run.as_ref().unwrap().as_str(), "r1");
        let damage = |why: &&String| why.contains("cannot be read") || why.contains("missing");
        assert_eq!(summary.unfinished.iter().find(damage), None, "{}", path.display());
        assert!(!summary.leases.is_empty() && summary.snapshot.is_some(), "{}", path.display());
    }
}

/// Whoever reads reports by the schema can read all that there are.
#[test]
fn reports_are_as_the_schema_says() {
    for path in fixtures("reports") {
        let document: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(document["muletrain_report"], 1, "{}", path.display());
        assert_valid(&file("schema/report.schema.json"), &document);
    }
}
