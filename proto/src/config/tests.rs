//! What users write, and what they are told.

use proptest::prelude::*;

use super::*;

fn message(text: &str) -> String {
    parse(text, FILE).expect_err("it is wrong").to_string()
}

#[test]
fn every_key_is_read() {
    let text = r#"
        [project]
        manage = "src/manage.py"
        settings = "config.settings.test"
        python = "3.12"
        [image]
        base = "python:3.12-slim"
        packages = ["libpq5"]
        install = ["pip install -r requirements/test.txt"]
        root = "/app"
        prepare = ["python manage.py collectstatic --noinput"]
        ca_bundle = "/etc/ssl/certs/ca-certificates.crt"
        user = "app"
        [env]
        set = { CI = "1" }
        pass = ["STRIPE_TEST_KEY"]
        [services.db]
        preset = "postgres:16"
        image = "registry.example.com/postgis:16"
        user = "postgres"
        command = ["postgres", "-c", "fsync=off"]
        env = { POSTGRES_PASSWORD = "test" }
        tmpfs = ["/run/postgresql"]
        data = "/databases"
        ready = ["pg_isready"]
        ready_timeout = "30s"
        aliases = ["postgres"]
        [services.mail]
        image = "mailpit"
        ready_port = 1025
        [services.search]
        image = "opensearch"
        ready_log = "started"
        [run]
        slots = 4
        runtime = "docker"
        labels = ["shop", "blog.tests"]
        include = ["django.test.TestCase"]
        exclude = ["*.SeleniumTest"]
        tags = ["fast"]
        exclude_tags = ["slow"]
        patterns = ["Cart"]
        retries = 1
        retry = [{ match = "*.SeleniumTest", retries = 3 }, { tag = "network", retries = 2 }]
        flaky = "fail"
        shuffle = 7
        serial = ["*.PrinterTest"]
        test_timeout = "1m30s"
        timeout = "30m"
        max_failures = 10
        memory = "2g"
        processes = 256
        cpus = 1.5
        fresh_db = true
        docker_host = "unix:///var/run/docker.sock"
        [results]
        keep_days = 90
        keep_bytes = "5g"
        keep_runs = 20
    "#;
    insta::assert_debug_snapshot!(parse(text, FILE).unwrap());
}

#[test]
fn an_empty_file_is_the_defaults() {
    assert_eq!(parse("", FILE).unwrap(), Config::default());
}

#[test]
fn runs_are_kept_for_a_month_and_in_a_gibibyte_unless_it_is_said_otherwise() {
    let kept = |text: &str| {
        let results = parse(text, FILE).unwrap().results;
        (results.days(), results.bytes(), results.runs())
    };
    assert_eq!(kept(""), (30, 1 << 30, 10));
    assert_eq!(kept("[results]\nkeep_days = 0\nkeep_bytes = '5g'\nkeep_runs = 1"), (0, 5 << 30, 1));
    let message = message("[results]\nkeep_day = 3");
    assert!(
        message.ends_with("unknown key \"keep_day\"; did you mean \"keep_days\"?"),
        "{message}"
    );
}

#[test]
fn pyproject_holds_the_same_under_tool() {
    let text = "[project]\nname = 'shop'\n[tool.ruff]\nx = 1\n[tool.muletrain.run]\nslots = 2";
    let config = parse_pyproject(text, "pyproject.toml").unwrap().unwrap();
    assert_eq!(config.run.slots, Some(2));
    assert_eq!(parse_pyproject("[tool.ruff]\nx = 1", "pyproject.toml").unwrap(), None);
    let text = "[tool.black]\nx = 1\n\n[tool.muletrain.run]\nslot = 2";
    let error = parse_pyproject(text, "pyproject.toml").unwrap_err().to_string();
    insta::assert_snapshot!(error, @r#"pyproject.toml:5: unknown key "slot"; did you mean "slots"?"#);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_way_out() {
    let texts = [
        "[run]\nslot = 2",
        "[run]\n\nwhatever = 2",
        "[imge]\nbase = 'x'",
        "[image]\nprivileged = true",
        "[services.db]\nimage = 'postgres:16'\nvolumes = ['/:/host']",
        "[services.db]\ncommand = ['x']",
        "[services.db]\nimage = 'postgres:16'\nready = 'pg_isready'",
        "[run]\nslots = 'four'",
        "[run]\nslots = -1",
        "[run]\nslots = 0",
        "[run]\nruntime = 'dokcer'",
        "[run]\ncpus = 'two'",
        "[run]\ncpus = 0",
        "[run]\ninclude = 'a'",
        "[run]\ntest_timeout = 60",
        "[run]\ntest_timeout = '60'",
        "[run]\nmemory = 'lots'",
        "[run]\nretries = -1",
        "[[run.retry]]\nretries = 1",
        "[[run.retry]]\nmatch = 'a'\ntag = 'b'\nretries = 1",
        "[[run.retry]]\npattern = 'a'\nretries = 1",
        "[run]\nflaky = 'ignore'",
        "[run]\nshuffle = 'yes'",
        "[run]\nshuffle = -1",
        "[run]\nserial = ['']",
        "[run]\ntags = ['fast', ' ']",
        "[run]\ndocker_host = ''",
        "[run]\nartifacts = ['shots/**', '']",
        "[run]\nartifacts = ['./']",
        "[run]\nartifacts = ['../secrets/*']",
        "[run]\nartifacts = ['/tmp/../etc/*']",
        "[run]\nartifact_limit = '0'",
        "[hooks]\nrun_setup = ['']",
        "[hooks]\npod_teardown = ['make stop', '  ']",
        "[hooks]\nsetup = ['make']",
        "[hooks]\ntimeout = '0s'",
        "[coverage]\nconfig = '../.coveragerc'",
        "[coverage]\nconfig = ''",
        "[image]\ninstall = ['pip install -r requirements.txt', '']",
        "[services.db]\nimage = 'x'\ncommand = ['']",
        "[services.db]\nimage = 'x'\nonly = ['']",
        "run = 3",
        "[run\nslots = 1",
        "[run]\nslots = 1\nslots = 2",
        "[project]\nmanage = '../manage.py'",
        "[project]\nmanage = ''",
        "[image]\nbase = 'a'\ndockerfile = 'b'",
        "[image]\ntarget = 'a'",
        "[image]\nroot = 'app'",
        "[image]\nroot = '/'",
        "[image]\npackages = ['--allow-unauthenticated']",
        "[image]\nuser = 'a b'",
        "[env]\npass = ['A=1']",
        "[env]\nset = { A = '1' }\npass = ['A']",
        "[env]\nset = { A = 1 }",
        "[services.'a b']\nimage = 'x'",
        "[services.db]\npreset = 'postgre:16'",
        "[services.db]\npreset = 'postgres'",
        "[services.db]\npreset = 'postgres:16 --privileged'",
        "[services.db]\nimage = ''",
        "[services.db]\nimage = 'x'\nuser = 'a b'",
        "[services.db]\nimage = 'x'\nready_prot = 1",
        "[services.db]\nimage = 'x'\nready_port = 0",
        "[services.db]\nimage = 'x'\nready_port = 65536",
        "[services.db]\nimage = 'x'\nready_log = ''",
        "[services.db]\nimage = 'x'\nready = ['a']\nready_port = 1",
        "[services.db]\nimage = 'x'\nready_timeout = 'soon'",
        "[services.db]\nimage = 'x'\ntmpfs = ['run']",
        "[services.db]\nimage = 'x'\ntmpfs = ['/']",
        "[services.db]\nimage = 'x'\ndata = '/a/../b'",
        "[services.db]\nimage = 'x'\ndata = '/run/./data'\ntmpfs = ['/run/']",
        "[services.db]\npreset = 'postgres:16'\ntmpfs = ['/var/tmp']",
        "[services.db]\npreset = 'postgres:16'\nenv = { PGDATA = '/a' }\ntmpfs = ['/a']",
        "[services.db]\npreset = 'postgres:16'\nenv = { PGDATA = 'a' }",
        "[services.db]\npreset = 'postgres:16'\nenv = { PGDATA = '/a' }\ndata = '/b'",
        "[services.db]\npreset = 'mysql:8'\ncommand = ['mysqld', '--datadir=/a']\ntmpfs = ['/a']",
        "[services.a]\npreset = 'mysql:8'\n[services.b]\npreset = 'mariadb:11'",
    ];
    let said: Vec<String> =
        texts.iter().map(|text| format!("{}\n    → {}", text, message(text))).collect();
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn a_project_without_a_file_has_the_defaults() {
    let folder = std::env::temp_dir().join("muletrain-no-such-folder");
    assert_eq!(find(&folder).unwrap(), Found::default());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = parse(&text, FILE);
        let _ = units::parse_duration(&text);
        let _ = units::parse_bytes(&text);
    }

    #[test]
    fn no_line_of_a_table_makes_it_panic(
        table in "(project|image|env|run|services\\.[a-zé]{0,3}|x)",
        key in "(slots|runtime|cpus|memory|timeout|base|root|set|pass|image|[a-z]{0,6})",
        value in "([0-9.eE+-]{1,12}|'[^'\n]{0,12}'|\\[\\]|\\{\\}|true|inf|nan)",
    ) {
        let _ = parse(&format!("[{table}]\n{key} = {value}"), FILE);
    }

    #[test]
    fn every_whole_number_of_seconds_is_read_back(seconds in 1_u32..10_000_000) {
        let text = format!("{}h{}m{}s", seconds / 3600, seconds % 3600 / 60, seconds % 60);
        prop_assert_eq!(units::parse_duration(&text).unwrap().get(), f64::from(seconds));
    }
}
