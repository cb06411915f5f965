//! What configured services come to.

use std::collections::BTreeMap;

use super::*;
use crate::snapshot::{Ready, Service};

fn services(text: &str) -> Vec<Service> {
    parse(text, FILE).unwrap().services()
}

fn provides(text: &str) -> BTreeMap<String, String> {
    services(text).into_iter().flat_map(|service| service.provides).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn a_preset_only_needs_a_version() {
    let kinds = ["postgres:16", "mysql:8", "mariadb:11", "redis:7-alpine"];
    let all = kinds.map(|preset| services(&format!("[services.it]\npreset = '{preset}'")));
    insta::assert_snapshot!(serde_json::to_string_pretty(&all.concat()).unwrap());
}

#[test]
fn what_a_service_says_itself_goes_before_its_preset() {
    let text = "
        [services.db]
        preset = 'postgres:16'
        image = 'postgis:16'
        user = '70'
        command = ['postgres']
        env = { POSTGRES_DB = 'shop' }
        data = '/databases'
        ready_port = 5432
        ready_timeout = '5s'
    ";
    let [db] = &services(text)[..] else { panic!("it is one") };
    assert_eq!((db.image.as_str(), db.user.as_deref()), ("postgis:16", Some("70")));
    assert_eq!(db.command, ["postgres"]);
    assert_eq!(db.environment["POSTGRES_DB"], "shop");
    assert_eq!(db.environment["POSTGRES_HOST_AUTH_METHOD"], "trust");
    assert_eq!(db.environment["PGDATA"], "/databases");
    assert_eq!(db.ready, Ready::Port(5432));
    assert_eq!(db.ready_limit.get(), 5.0);
}

#[test]
fn a_server_stores_where_it_is_said_to() {
    let stores = |text: &str| {
        let [db] = &services(&format!("[services.db]\n{text}"))[..] else { panic!("it is one") };
        (db.data.clone().unwrap(), db.command.join(" "), db.environment.get("PGDATA").cloned())
    };
    let mysql = |rest: &str| {
        let (data, command, _) = stores(&format!("preset = 'mysql:8'\n{rest}"));
        (data, command)
    };
    let both = |data: &str, command: &str| (data.to_owned(), command.to_owned());
    let added = both("/var/tmp/muletrain", "mysqld --console --datadir=/var/tmp/muletrain");
    assert_eq!(mysql("command = ['mysqld', '--console']"), added);
    let said = both("/a", "mysqld --datadir=/a");
    assert_eq!(mysql("command = ['mysqld']\ndata = '/a'"), said);
    assert_eq!(mysql("command = ['mysqld', '--datadir=/a']"), said);
    let apart = both("/a", "mysqld --datadir /a");
    assert_eq!(mysql("command = ['mysqld', '--datadir', '/a']"), apart);
    let (data, _, variable) = stores("preset = 'postgres:16'\nenv = { PGDATA = '/a' }");
    assert_eq!((data.as_str(), variable.as_deref()), ("/a", Some("/a")));
}

#[test]
fn a_service_of_its_own_gets_nothing_added() {
    let text = "[services.mail]\nimage = 'mailpit'\nready = ['true']";
    let wanted = Service {
        name: "mail".to_owned(),
        image: "mailpit".to_owned(),
        image_id: None,
        user: None,
        command: vec![],
        environment: [].into(),
        tmpfs: vec![],
        data: None,
        ready: Ready::Command(words(&["true"])),
        ready_limit: std::time::Duration::from_secs(120).into(),
        aliases: vec![],
        only: vec![],
        provides: [].into(),
    };
    assert_eq!(services(text), [wanted]);
}

#[test]
fn tests_find_a_preset_by_a_url_of_what_it_was_told() {
    let text = "
        [services.db]
        preset = 'postgres:16'
        env = { POSTGRES_USER = 'shop', POSTGRES_PASSWORD = 'p@ss/wörd', POSTGRES_DB = 'shop' }
        [services.cache]
        preset = 'redis:7'
    ";
    let wanted = [
        ("DATABASE_URL", "postgres://shop:p%40ss%2Fw%C3%B6rd@db:5432/shop"),
        ("REDIS_URL", "redis://cache:6379/0"),
    ];
    assert_eq!(provides(text), wanted.map(|(name, url)| (name.to_owned(), url.to_owned())).into());
}

#[test]
fn with_two_databases_a_project_says_itself_which_is_which() {
    let text = "[services.a]\npreset = 'postgres:16'\n[services.b]\npreset = 'mysql:8'";
    assert_eq!(provides(text), [].into());
}
