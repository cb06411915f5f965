//! What is sent to a harness and read from it.

use muletrain_proto::id::SuiteName;
use muletrain_proto::suite::Adapter;
use proptest::prelude::*;

use super::*;

#[test]
fn commands_are_one_line_of_json() {
    let lines: String = [
        Command::Collect { labels: vec!["shop".to_owned()] },
        Command::Assign {
            app: AppLabel::new("shop").unwrap(),
            labels: vec!["shop".to_owned()],
            tests: None,
            databases: vec![],
            time_left: Seconds::new(90.0).ok(),
        },
        Command::Match {
            root: "/app".to_owned(),
            candidates: vec![Candidate { id: "1".to_owned(), manifest: Value::Null }],
        },
        Command::Warm,
        Command::Run {
            grant: 1,
            tests: Some(vec![GrantedTest { id: TestId::new("a.B.c").unwrap(), r#try: 2 }]),
            ordered: false,
            last: false,
        },
        Command::Finish,
    ]
    .iter()
    .map(|command| String::from_utf8(command.to_line()).unwrap())
    .collect();
    insta::assert_snapshot!(lines, @r#"
    {"type":"collect","labels":["shop"]}
    {"type":"assign","app":"shop","labels":["shop"],"tests":null,"time_left":90.0}
    {"type":"match","root":"/app","candidates":[{"id":"1","manifest":null}]}
    {"type":"warm"}
    {"type":"run","grant":1,"tests":[{"id":"a.B.c","try":2}]}
    {"type":"finish"}
    "#);
}

#[test]
fn an_event_is_read() {
    let line = r#"{"type":"finished","test":"a.B.c","try":1,"verdict":"passed","seconds":0.5,
        "reason":null,"failures":[],"output":"hi","output_omitted":0}"#;
    let Line::Event(Event::Finished(finished)) = parse(line).unwrap() else { panic!() };
    assert_eq!(finished.output, Output { text: "hi".to_owned(), omitted: 0 });
}

#[test]
fn the_end_of_the_worker_is_read() {
    let line = r#"{"type":"exited","status":null,"signal":11,"running":"a.B.c",
        "output":"","output_omitted":0,"peak_kib":null}"#;
    let Line::Exited(exited) = parse(line).unwrap() else { panic!() };
    assert_eq!((exited.status, exited.signal), (None, Some(11)));
}

#[test]
fn what_is_said_of_kept_databases_is_read() {
    let database = r#"{"type":"database","alias":"default","vendor":"sqlite","name":"test",
        "tables":"5f","data":"eJw=","seconds":2.5}"#;
    let Line::Kept(Kept::Database(database)) = parse(database).unwrap() else { panic!() };
    assert_eq!((database.alias.as_str(), database.data.as_deref()), ("default", Some("eJw=")));
    let warmed = r#"{"type":"warmed","manifest":{"version":1,"files":[]},"seconds":3}"#;
    let Line::Kept(Kept::Warmed { manifest, .. }) = parse(warmed).unwrap() else { panic!() };
    assert_eq!(manifest["version"], 1);
    let matched = parse(r#"{"type":"matched","id":null}"#).unwrap();
    assert_eq!(matched, Line::Kept(Kept::Matched(None)));
}

#[test]
fn what_is_not_understood_is_an_error() {
    for line in [
        "",
        "hello",
        "{}",
        r#"{"type":"pod_started","pod":"x","seconds":1}"#,
        r#"{"type":"ended","how":"closed"}"#,
        r#"{"type":"surprise"}"#,
        r#"{"type":"done","grant":-1}"#,
        r#"{"type":"booted","protocol":2,"python":"","django":"","runner":"","seconds":1}"#,
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

proptest! {
    #[test]
    fn no_line_panics(line in ".{0,200}") {
        let _ = parse(&line);
    }
}

#[test]
fn secrets_are_not_in_debug_output() {
    let hello = Hello {
        protocol: PROTOCOL,
        root: "/app".to_owned(),
        run: RunId::new("r1").unwrap(),
        suite: Suite::new(SuiteName::default(), Adapter::Django { manage: None, settings: None }),
        adapter: "django",
        apps: vec![],
        test_timeout: None,
        class_timeout: None,
        app_timeout: None,
        run_timeout: None,
        db_prefix: None,
        db_token: None,
        isolation: Isolation::App,
        checks: false,
        output_limit: 1,
        environment: [("KEY".to_owned(), "canary".to_owned())].into(),
        services: vec![],
        around: Around::default(),
        trace: false,
        shuffle: None,
    };
    assert!(!format!("{:?}", Command::Hello(Box::new(hello))).contains("canary"));
}
