//! What a user is told who cannot run anything: what is wrong, where, and the way out.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Command;

use insta::assert_snapshot;
use muletrain_tests::engine::prepare;
use muletrain_tests::flow::Flow;

/// Runs a command that must end with this code, and nothing on standard output; what it said,
/// with `FOLDER` for the flow's folder.
#[track_caller]
fn refusal(flow: &Flow, command: &mut Command, code: i32) -> String {
    let ended = flow.start(command.arg("--quiet")).end();
    ended.expect(code);
    assert_eq!(ended.stdout, "");
    let folder = flow.project.parent().expect("it is in a folder");
    let project = flow.project.to_string_lossy().into_owned();
    let folder = folder.to_string_lossy().into_owned();
    ended.stderr.replace(&project, "PROJECT").replace(&folder, "FOLDER")
}

fn passing() -> Flow {
    let tests = "from django.test import SimpleTestCase\n\n\n\
                 class CartTest(SimpleTestCase):\n    def test_passes(self):\n        pass\n";
    Flow::small(&[("app/tests.py", tests)])
}

fn with_configuration(text: &str) -> Flow {
    Flow::small(&[("muletrain.toml", text)])
}

#[test]
fn no_docker() {
    let flow = passing();
    let mut command = flow.run_command("docker", &["--docker-host", "unix:///nowhere/docker.sock"]);
    let said = refusal(&flow, &mut command, 4);
    assert_snapshot!(said, @r"
    error: no Docker Engine answers at unix:///nowhere/docker.sock; start it, or run with --runtime process
      because: No such file or directory (os error 2)
    ");
    let mut command = flow.run_command("docker", &[]);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    assert_eq!(refusal(&flow, &mut command, 4), said, "the variable does as the argument");
}

#[test]
fn docker_without_permission() {
    let flow = passing();
    let socket = flow.path("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
    let host = format!("unix://{}", socket.display());
    let command = flow.run_command("docker", &["--docker-host", &host]);
    assert_snapshot!(refusal(&flow, &mut as_ordinary_user(command), 4), @r"
    error: this user may not use the Docker Engine at unix://FOLDER/docker.sock; add them to its group (sudo usermod -aG docker $USER, then log in again), or run with --runtime process
      because: Permission denied (os error 13)
    ");
}

/// The same command for whom permissions count, which they do not for a root with all its powers.
fn as_ordinary_user(command: Command) -> Command {
    if !rustix::process::geteuid().is_root() {
        return command;
    }
    let mut without = Command::new("setpriv");
    without.args(["--bounding-set", "-dac_override,-dac_read_search", "--inh-caps=-all", "--"]);
    without.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => without.env(name, value),
            None => without.env_remove(name),
        };
    }
    without
}

#[test]
fn a_base_image_that_is_not_there() {
    prepare();
    let flow = with_configuration("[image]\nbase = 'localhost:1/nothing:1'\n");
    let said = refusal(&flow, &mut flow.run_command("docker", &[]), 4);
    // Between them stands what the engine says.
    let start = "error: no image localhost:1/nothing:1 is here and it cannot be pulled: ";
    let end = "; build or load it, or name another in [image] base\n";
    assert!(said.starts_with(start) && said.ends_with(end) && said.lines().count() == 1, "{said}");
}

#[test]
fn no_manage_py() {
    let flow = passing();
    fs::remove_file(flow.project.join("manage.py")).unwrap();
    assert_snapshot!(refusal(&flow, &mut flow.run_command("process", &[]), 2), @"error: PROJECT has no manage.py; name it in [project] manage, or the settings in [project] settings");
}

#[test]
fn a_label_that_names_nothing() {
    let flow = passing();
    assert_snapshot!(refusal(&flow, &mut flow.run_command("process", &["apps"]), 2), @r#"error: no app, package or test module is called "apps"; did you mean app?"#);
}

#[test]
fn a_folder_that_is_not_there() {
    let flow = Flow::empty();
    assert_snapshot!(refusal(&flow, &mut flow.run_command("process", &[]), 2), @"error: there is no folder PROJECT; the project's folder comes first and labels after it, as in `muletrain-scheduler run . PROJECT`");
}

#[test]
fn a_configuration_that_cannot_be_read() {
    let broken = with_configuration("[run]\nslots = [\n");
    assert_snapshot!(refusal(&broken, &mut broken.run_command("process", &[]), 2), @"error: PROJECT/muletrain.toml:2: unclosed array, expected `]`");
    let unknown = with_configuration("[image]\nbaze = 'debian'\n");
    assert_snapshot!(refusal(&unknown, &mut unknown.run_command("process", &[]), 2), @r#"error: PROJECT/muletrain.toml:2: unknown key "baze"; did you mean "base"?"#);
    let wrong = with_configuration("[run]\nslots = 'many'\n");
    assert_snapshot!(refusal(&wrong, &mut wrong.run_command("process", &[]), 2), @r#"error: PROJECT/muletrain.toml:2: invalid type: string "many", expected a whole number from 0 to 4294967295"#);
}

#[test]
fn services_without_containers() {
    let flow = with_configuration("[services.db]\nimage = 'postgres:16'\n");
    assert_snapshot!(refusal(&flow, &mut flow.run_command("process", &[]), 4), @"error: the process runtime starts no services, and db is configured; run with Docker, or set the host or URL of a server of your own in [env] set");
}

#[test]
fn no_scheduler_to_submit_to() {
    let flow = passing();
    let submit = |address: &str| {
        let mut command = flow.command("muletrain-scheduler");
        command.arg("submit").arg(&flow.project).args(["--scheduler", address]);
        command.args(["--runtime", "process"]);
        command
    };
    assert_snapshot!(refusal(&flow, &mut submit("unix:/nowhere/scheduler.sock"), 4), @r"
    error: cannot reach a scheduler at unix:/nowhere/scheduler.sock; is it running?
      because: transport error
      because: No such file or directory (os error 2)
    ");
    assert_snapshot!(refusal(&flow, &mut submit("http://127.0.0.1:1"), 4), @r"
    error: cannot reach a scheduler at http://127.0.0.1:1; is it running?
      because: transport error
      because: tcp connect error
      because: Connection refused (os error 111)
    ");
    assert_snapshot!(refusal(&flow, &mut submit("scheduler.example"), 2), @r#"
    error: invalid value 'scheduler.example' for '--scheduler <URL>': scheduler address "scheduler.example" is neither unix:PATH nor http://HOST:PORT

    For more information, try '--help'.
    "#);
}

#[test]
fn a_selection_that_leaves_nothing() {
    let flow = passing();
    let ended = flow.run("process", &["-k", "basket", "--quiet"]).end();
    ended.expect(2);
    let why = "Stopped: no test matches -k \"basket\"\n";
    assert!(ended.stdout.contains(why), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("NOTHING TO RUN\n"), "{}", ended.stdout);
}
