//! Commands, files, warnings and coverage of a run in the report for machines.

use muletrain_proto::artifact::{Artifact, Kind, Name};
use muletrain_proto::blob::Digest;
use muletrain_proto::coverage::Combined;
use muletrain_proto::event::{Event, Warning, Warnings};
use muletrain_proto::hook::{Hook, Hooks, Scope, Stage};
use muletrain_proto::outcome::{Ending, Output};
use muletrain_proto::run::Options;
use muletrain_reporter::render::json;
use serde_json::Value;

use crate::journal::{Journal, classes, passed, seconds};
use crate::outputs::{assert_valid, file};

const CART: &str = "shop.tests.CartTest";

fn hook(scope: Scope, stage: Stage, command: &str, status: i32, text: &str) -> Hook {
    Hook {
        scope,
        stage,
        command: command.to_owned(),
        seconds: seconds(0.5),
        status: Some(status),
        signal: None,
        timed_out: false,
        output: Output { text: text.to_owned(), omitted: 7 },
    }
}

fn left(name: &str, kind: Kind, lost: Option<&str>) -> Event {
    let digest = lost.is_none().then(|| Digest::of(name.as_bytes()));
    let name = Name::new(name).unwrap();
    Event::Artifact(Artifact {
        name,
        kind,
        size: 3000,
        digest,
        omitted: 1976,
        lost: lost.map(str::to_owned),
    })
}

/// A run that has all of it.
fn run() -> Journal {
    let ran = vec![hook(Scope::Run, Stage::Setup, "make up", 0, "up\n")];
    let hooks = Hooks { ran, ..Hooks::default() };
    let mut journal = Journal::asked(Options { hooks, ..Options::default() });
    journal.lease(1, "shop", "laptop").up(1, classes("shop", &[(CART, &["test_add"])]));
    journal.run(1, passed(&format!("{CART}.test_add"), 0.25));
    let warning = Warning {
        file: "shop/models.py".to_owned(),
        line: 3,
        category: "DeprecationWarning".to_owned(),
        message: "an old thing".to_owned(),
        count: 2,
    };
    journal.event(1, Event::Warnings(Warnings { warnings: vec![warning], omitted: 4 }));
    journal.event(1, Event::Hook(hook(Scope::App, Stage::Teardown, "make down", 3, "no\n")));
    journal.event(1, left("shots/a.png", Kind::File, None));
    journal.event(1, left("shots/b.png", Kind::File, Some("the scheduler has no room")));
    journal.event(1, left("coverage.1", Kind::Coverage, None));
    journal.event(1, left("coverage.xml", Kind::Report, None));
    journal.event(
        1,
        Event::Combined(Combined {
            files: 1,
            statements: 120,
            missing: 9,
            branches: 20,
            missing_branches: 1,
            percent: "92".to_owned(),
            demanded: Some("95".to_owned()),
            notes: vec!["no source for code: a.py".to_owned()],
            seconds: seconds(0.75),
        }),
    );
    journal.end(1, Ending::Closed).close();
    journal
}

#[test]
fn is_told_as_the_schema_says() {
    let document: Value = serde_json::from_str(&json::json(&[&run().summary()])).unwrap();
    assert_valid(&file("schema/report.schema.json"), &document);
    let fields = ["hooks", "artifacts", "warnings", "warnings_omitted", "coverage"];
    let told: Vec<String> = fields
        .iter()
        .map(|field| serde_json::to_string_pretty(&document["runs"][0][field]).unwrap())
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn has_every_field_in_the_schema() {
    let document: Value = serde_json::from_str(&json::json(&[&run().summary()])).unwrap();
    let text = std::fs::read_to_string(file("schema/report.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let run = &document["runs"][0];
    let parts = [
        ("run", run),
        ("hook", &run["hooks"][1]),
        ("artifact", &run["artifacts"][0]),
        ("artifact", &run["artifacts"][1]),
        ("warning", &run["warnings"][0]),
        ("coverage", &run["coverage"]),
    ];
    for (name, value) in parts {
        let known = schema["$defs"][name]["properties"].as_object().unwrap();
        for field in value.as_object().unwrap().keys() {
            assert!(known.contains_key(field), "{name} has no {field} in its schema");
        }
    }
}
