//! What the engine is asked for, as data.

use std::collections::BTreeMap;

use muletrain_proto::link::RunBrief;
use muletrain_proto::run::{Limits, Secrets};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::{Content, Ready, Service};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::pure::pod::{SERVICE_CAPABILITIES, containers};
use crate::samples;

/// Texts that mean something to an engine, and others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("host".to_owned()),
        Just("/var/run/docker.sock:/var/run/docker.sock".to_owned()),
        Just("--privileged".to_owned()),
        Just("root".to_owned()),
        Just("0:0".to_owned()),
        ".{0,12}",
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 0..4)
}

fn variables() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(text(), text(), 0..4)
}

fn ready() -> impl Strategy<Value = Ready> {
    prop_oneof![
        Just(Ready::Started),
        texts().prop_map(Ready::Command),
        any::<u16>().prop_map(Ready::Port),
        text().prop_map(Ready::Log),
    ]
}

prop_compose! {
    fn service()(
        names in (text(), text(), prop::option::of(text()), prop::option::of(text())),
        command in texts(), environment in variables(), tmpfs in texts(), ready in ready(),
        aliases in texts(), provides in variables(),
    ) -> Service {
        let (name, image, user, data) = names;
        let ready_limit = Seconds::ZERO;
        Service {
            name, image, user, command, environment, tmpfs, data, ready, ready_limit, aliases,
            only: vec![], provides, image_id: None,
        }
    }
}

prop_compose! {
    fn limits()(
        memory in any::<u64>(), processes in any::<u32>(), cpu_millis in any::<Option<u32>>(),
    ) -> Limits {
        Limits { memory, processes, cpu_millis, output: 1 }
    }
}

prop_compose! {
    fn brief()(
        names in (text(), text(), text(), text(), text()),
        set in variables(), secrets in variables(), limits in limits(),
        services in prop::collection::vec(service(), 0..3),
    ) -> RunBrief {
        let (image, platform, root, user, python) = names;
        let mut brief = samples::brief(Content::Docker { image, platform, root, user, base: None });
        brief.snapshot.python = python;
        brief.snapshot.environment.set = set;
        brief.snapshot.services = services;
        brief.options.limits = limits;
        brief.secrets = Secrets(secrets);
        brief
    }
}

/// The bodies of all containers of a run, as the engine gets them.
fn bodies(brief: &RunBrief) -> Vec<Value> {
    let containers = containers(&samples::key(1), brief, &samples::owner(), 0, "").unwrap();
    let first = containers[0].name.clone();
    let body = |item: &Container| create(item, "sha256:0".to_owned(), &first);
    containers.iter().map(|item| serde_json::to_value(body(item)).unwrap()).collect()
}

/// All that a host configuration may hold; whatever is not named here must be absent.
const KNOWN: [&str; 15] = [
    "AutoRemove",
    "CapAdd",
    "CapDrop",
    "ExtraHosts",
    "Init",
    "IpcMode",
    "LogConfig",
    "Memory",
    "MemorySwap",
    "NanoCpus",
    "NetworkMode",
    "PidsLimit",
    "Privileged",
    "SecurityOpt",
    "Tmpfs",
];

fn check(body: &Value, is_first: bool, is_tests: bool) -> Result<(), TestCaseError> {
    let host = body["HostConfig"].as_object().unwrap();
    for (name, value) in host {
        prop_assert!(KNOWN.contains(&name.as_str()) || value.is_null(), "{name}: {value}");
    }
    prop_assert_eq!(&host["Privileged"], &json!(false));
    prop_assert_eq!(&host["IpcMode"], &json!("private"));
    prop_assert_eq!(&host["CapDrop"], &json!(["ALL"]));
    prop_assert_eq!(&host["SecurityOpt"], &json!(["no-new-privileges"]));
    prop_assert_eq!(&host["Memory"], &host["MemorySwap"]);
    prop_assert!(host["Memory"].as_i64().unwrap() > 0);
    prop_assert!(host["PidsLimit"].as_i64().unwrap() > 0);
    let network = host["NetworkMode"].as_str().unwrap();
    prop_assert_eq!(network == "none", is_first);
    prop_assert!(is_first || network == "container:muletrain-boot-run-1-1-service1");
    let added = host.get("CapAdd").cloned().unwrap_or(json!([]));
    match body["User"].is_string() {
        true => prop_assert_eq!(added, json!([])),
        false => prop_assert_eq!(added, json!(SERVICE_CAPABILITIES)),
    }
    let tmpfs = host.get("Tmpfs").cloned().unwrap_or(json!({}));
    for (folder, options) in tmpfs.as_object().unwrap() {
        prop_assert!(!is_tests || folder == "/tmp");
        prop_assert!(options.as_str().unwrap().starts_with("rw,exec,nosuid,nodev,"));
    }
    prop_assert!(body.get("Volumes").is_none() && body.get("ExposedPorts").is_none());
    Ok(())
}

proptest! {
    #[test]
    fn no_input_reaches_the_host(brief in brief()) {
        let bodies = bodies(&brief);
        for (at, body) in bodies.iter().enumerate() {
            check(body, at == 0, at + 1 == bodies.len())?;
        }
    }

    #[test]
    fn no_secret_is_in_what_the_engine_is_told(mut brief in brief(), canary in "[a-z]{32}") {
        brief.secrets = Secrets([("KEY".to_owned(), canary.clone())].into());
        for body in bodies(&brief) {
            prop_assert!(!body.to_string().contains(&canary));
        }
    }
}

#[test]
fn the_tests_container_reads_as_expected() {
    let mut brief = samples::brief(samples::image());
    brief.options.limits.cpu_millis = Some(1500);
    insta::assert_snapshot!(serde_json::to_string_pretty(&bodies(&brief)[0]).unwrap());
}
