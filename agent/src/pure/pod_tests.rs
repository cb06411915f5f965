//! What every pod has, whatever a project or a user asks for.

use muletrain_proto::run::Secrets;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Environment;

use super::*;
use crate::samples::{brief, image, key, lease, owner};

fn service(name: &str) -> Service {
    Service {
        name: name.to_owned(),
        image: format!("{name}:1"),
        user: None,
        command: vec![],
        environment: BTreeMap::new(),
        tmpfs: vec![],
        data: None,
        ready: Ready::Started,
        ready_limit: Duration::from_secs(60).into(),
        aliases: vec![format!("{name}.internal")],
        only: vec![],
        provides: BTreeMap::new(),
        image_id: None,
    }
}

fn copy_of_the_tree() -> Content {
    Content::Process { root: "/src".to_owned() }
}

#[test]
fn services_start_first_and_the_first_of_all_owns_the_network() {
    let mut brief = brief(image());
    brief.snapshot.services = vec![service("db"), service("cache")];
    let containers = containers(&key(1), &brief, &owner(), 7, "").unwrap();
    let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "muletrain-boot-run-1-1-service1",
            "muletrain-boot-run-1-1-service2",
            "muletrain-boot-run-1-1-tests"
        ]
    );
    let aliases = ["db", "db.internal", "cache", "cache.internal"].map(str::to_owned).to_vec();
    assert_eq!(containers[0].network, Network::Own(aliases));
    assert_eq!(containers[1].network, Network::Joined);
    assert_eq!(containers[2].network, Network::Joined);
    assert_eq!(containers[0].labels, containers[2].labels);
}

#[test]
fn what_the_project_sets_wins_over_the_defaults_and_never_over_the_mark() {
    let mut brief = brief(image());
    let set = [("HOME", "/home/me"), (MARK, "forged"), ("CI", "1")];
    let set = set.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    brief.snapshot.environment = Environment { set, pass: vec![] };
    let containers = containers(&key(1), &brief, &owner(), 0, "").unwrap();
    let environment = &containers[0].environment;
    assert_eq!(environment["HOME"], "/home/me");
    assert_eq!(environment["CI"], "1");
    assert_eq!(environment[MARK], "agent/boot/run/1/1");
}

#[test]
fn a_port_is_asked_by_the_image_of_the_tests_beside_its_service() {
    let mut brief = brief(image());
    brief.snapshot.services = vec![service("cache"), service("db")];
    brief.snapshot.services[1].ready = Ready::Port(5432);
    let containers = containers(&key(1), &brief, &owner(), 0, "").unwrap();
    let [_, db, probe, tests] = &containers[..] else { panic!("{containers:?}") };
    assert_eq!(probe.name, format!("{}-probe", db.name));
    assert_eq!(probe.entrypoint[3], "5432");
    let (image, user) = (&probe.image, &probe.user);
    assert_eq!((image, user, &probe.labels), (&tests.image, &tests.user, &tests.labels));
    assert_eq!(probe.network, Network::Joined);
}

#[test]
fn a_service_with_a_user_of_its_own_has_no_capability() {
    let mut brief = brief(image());
    brief.snapshot.services = vec![service("cache"), service("db")];
    brief.snapshot.services[1].user = Some("postgres".to_owned());
    let containers = containers(&key(1), &brief, &owner(), 0, "").unwrap();
    assert_eq!(containers[0].capabilities, SERVICE_CAPABILITIES);
    assert_eq!(containers[1].user.as_deref(), Some("postgres"));
    assert_eq!(containers[1].capabilities, [""; 0]);
}

#[test]
fn tests_find_services_by_variables_unless_the_project_says_otherwise() {
    let url = |text: &str| BTreeMap::from([("DATABASE_URL".to_owned(), text.to_owned())]);
    let mut brief = brief(image());
    brief.snapshot.services = vec![service("db")];
    brief.snapshot.services[0].provides = url("postgres://db");
    let found = |brief: &RunBrief| {
        let containers = containers(&key(1), brief, &owner(), 0, "").unwrap();
        containers[1].environment["DATABASE_URL"].clone()
    };
    assert_eq!(found(&brief), "postgres://db");
    brief.snapshot.environment = Environment { set: url("postgres://mine"), pass: vec![] };
    assert_eq!(found(&brief), "postgres://mine");
}

#[test]
fn a_service_with_databases_on_it_is_kept_and_replaced_by_its_name() {
    let mut brief = brief(image());
    brief.snapshot.services = vec![service("cache"), service("db")];
    brief.snapshot.services[1].data = Some("/data".to_owned());
    let found = storing(&key(1), &brief, &owner());
    let containers = containers(&key(1), &brief, &owner(), 0, "").unwrap();
    let [service, container, data] =
        ["db", containers[1].name.as_str(), "/data"].map(str::to_owned);
    assert_eq!(found, [Storing { service, container, data }]);
    let images = [("db".to_owned(), "sha256:0".to_owned())].into();
    let services = with_images(&brief, &images).snapshot.services;
    assert_eq!([&services[0].image, &services[1].image], ["cache:1", "sha256:0"]);
}

#[test]
fn no_limit_is_ever_left_out() {
    let mut brief = brief(image());
    brief.options.limits.memory = 0;
    brief.options.limits.processes = 0;
    let limits = limits(&brief);
    assert_eq!((limits.memory, limits.processes), (LEAST_MEMORY, LEAST_PROCESSES));
}

#[test]
fn a_snapshot_is_for_one_runtime() {
    assert!(process(&key(1), &brief(copy_of_the_tree()), &owner()).is_ok());
    let error = process(&key(1), &brief(image()), &owner()).unwrap_err();
    let (snapshot, agent) = (Runtime::Docker, Runtime::Process);
    assert_eq!(error, Error::Runtime { snapshot, agent });
    let error = containers(&key(1), &brief(copy_of_the_tree()), &owner(), 0, "").unwrap_err();
    assert_eq!(error, Error::Runtime { snapshot: agent, agent: snapshot });
}

#[test]
fn a_host_process_has_no_services() {
    let mut brief = brief(copy_of_the_tree());
    brief.snapshot.services = vec![service("db")];
    insta::assert_snapshot!(process(&key(1), &brief, &owner()).unwrap_err(), @"service db needs a container, and the process runtime has none; use --runtime docker, or point [env] to a server of your own");
}

#[test]
fn secrets_reach_the_harness_and_no_process_is_started_with_them() {
    let secrets: BTreeMap<String, String> = [("KEY".to_owned(), "canary".to_owned())].into();
    let mut docker = brief(image());
    docker.secrets = Secrets(secrets.clone());
    let containers = containers(&key(1), &docker, &owner(), 0, "").unwrap();
    assert!(!format!("{containers:?}").contains("canary"));
    assert_eq!(hello(&lease(1), &docker, "/app".to_owned()).environment, secrets);

    let host = RunBrief { snapshot: brief(copy_of_the_tree()).snapshot, ..docker };
    assert!(!format!("{:?}", process(&key(1), &host, &owner()).unwrap()).contains("canary"));
}

#[test]
fn a_test_without_a_limit_has_that_of_a_pod_that_is_silent() {
    let limit = |brief: &RunBrief| hello(&lease(1), brief, "/app".to_owned()).test_timeout;
    let mut brief = brief(image());
    assert_eq!(limit(&brief), Some(QUIET_LIMIT.into()));
    brief.options.test_timeout = Seconds::new(7200.0).ok();
    assert_eq!(limit(&brief), Seconds::new(7200.0).ok(), "a longer one may be asked for");
}

#[test]
fn a_pod_fits_another_lease_where_it_was_told_the_same() {
    let told = |change: fn(&mut RunBrief)| {
        let mut brief = brief(image());
        brief.options.isolation = Isolation::Fork;
        change(&mut brief);
        hello(&lease(1), &brief, "/app".to_owned())
    };
    let there = Hello { root: "/elsewhere".to_owned(), ..told(|_| {}) };
    assert!(told(|_| {}).fits(&Hello { db_token: Some("1".to_owned()), ..there.clone() }));
    assert!(!told(|brief| brief.options.db_prefix = Some("ci".to_owned())).fits(&there));
    assert!(!told(|brief| brief.options.class_timeout = Some(Seconds::ZERO)).fits(&there));
    let alone = told(|brief| brief.options.isolation = Isolation::App);
    assert!(!alone.fits(&alone), "an app that has its pod to itself");
}

#[test]
fn databases_of_two_leases_never_have_one_name() {
    let token = owner().database_token(&key(1));
    assert!(token.len() == 12 && token.chars().all(|c| c.is_ascii_hexdigit()));
    assert_ne!(token, owner().database_token(&key(2)));
    let other = Owner { boot: BootId::new("another").unwrap(), ..owner() };
    assert_ne!(token, other.database_token(&key(1)));
}
