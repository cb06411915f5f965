//! The format of the journal: that it keeps everything, and that it does not change unnoticed.

use proptest::prelude::*;

use super::*;
use crate::journal::samples::{events, records};
use crate::strategies;

proptest! {
    #[test]
    fn a_line_keeps_everything(entry in strategies::entry()) {
        let line = line(&entry);
        prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
        prop_assert_eq!(read_entry(&line).unwrap(), entry);
    }

    #[test]
    fn the_header_too(header in strategies::header()) {
        prop_assert_eq!(read_header(&line(&header)).unwrap(), header);
    }

    #[test]
    fn a_line_that_was_cut_off_is_an_error(
        entry in strategies::entry(),
        length in any::<prop::sample::Index>(),
    ) {
        let line = line(&entry);
        // The newline is no part of the JSON; anything shorter is not whole.
        let mut end = length.index(line.len() - 1);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        prop_assert!(read_entry(&line[..end]).is_err());
    }
}

#[test]
fn another_version_is_refused() {
    let error = read_header(r#"{"muletrain_journal":2,"run":"r1"}"#).unwrap_err();
    insta::assert_snapshot!(error, @"journal version 2 cannot be read, this build reads version 1");
}

#[test]
fn an_unknown_record_is_an_error_and_an_unknown_field_is_not() {
    assert!(read_entry(r#"{"number":1,"at":0,"record":"rewound"}"#).is_err());
    let entry = read_entry(r#"{"number":1,"at":0,"record":"closed","mood":"good"}"#).unwrap();
    assert_eq!(entry.record, Record::Closed);
}

#[test]
fn a_field_that_was_added_may_be_missing() {
    let ready = r#"{"number":1,"at":0,"record":"observed","lease":1,"sequence":1,"event":
        {"type":"ready","databases":[{"alias":"default","vendor":"sqlite"}],"seconds":2,"output":""}}"#;
    let Record::Observed { event: Event::Ready(ready), .. } = read_entry(ready).unwrap().record
    else {
        panic!("not read as what it is")
    };
    assert!(!ready.databases[0].warm);
    let options: Options = serde_json::from_str(r#"{"labels":["shop"]}"#).unwrap();
    assert!(!options.fresh_databases);
}

/// Stored journals look like this. A change here needs a new [`VERSION`], unless it adds a field
/// that readers can do without.
#[test]
fn the_format_of_version_1() {
    let records = records().into_iter().chain(events().into_iter().map(observed));
    let entries = (1..).zip(records).map(|(number, record)| Entry { number, at: 7, record });
    let mut journal = line(&Header::new(RunId::new("r1").unwrap()));
    for entry in entries {
        let line = line(&entry);
        assert_eq!(read_entry(&line).unwrap(), entry);
        journal += &line;
    }
    insta::assert_snapshot!(journal);
}

fn observed(event: Event) -> Record {
    Record::Observed { lease: LeaseId(1), sequence: 2, event }
}
