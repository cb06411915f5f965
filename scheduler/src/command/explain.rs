//! `run --explain`: the plan and why, and nothing run.

use std::io::Write;

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::plan::Plan;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Snapshot;

use super::Error;
use crate::history::History;
use crate::pure::{label, plan};
use crate::settings::Settings;

pub(super) fn print(
    snapshot: &Snapshot,
    settings: &Settings,
    history: &History,
    slots: u32,
) -> Result<ExitCode, Error> {
    let targets = label::resolve(&settings.options, snapshot).unwrap_or_default();
    let wanted = label::named_apps(&targets, &snapshot.apps);
    let estimates = history.estimates(&snapshot.name)?;
    let plan = plan::make(wanted.into_iter(), &estimates, slots);
    let boot = history.boot(&snapshot.name)?;
    std::io::stdout().write_all(render(&plan, boot).as_bytes())?;
    Ok(if plan.apps.is_empty() { ExitCode::Usage } else { ExitCode::Green })
}

fn render(plan: &Plan, boot: Option<Seconds>) -> String {
    let width = plan.apps.iter().map(|app| app.app.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (place, app) in plan.apps.iter().enumerate() {
        text += &format!("{:>3}  {:width$}  {}\n", place + 1, app.app, app.reason);
    }
    text + &match (plan.apps.is_empty(), plan.lower_bound > Seconds::ZERO) {
        (true, _) => "nothing to run: no app has test modules\n".to_owned(),
        (false, true) => {
            format!("by past timings, {} slots take at least {}\n", plan.slots, plan.lower_bound)
        }
        (false, false) => "no history yet: the first run will make it\n".to_owned(),
    } + &boot.map(|boot| isolation(plan, boot)).unwrap_or_default()
}

/// What each isolation costs before the first test of an app.
fn isolation(plan: &Plan, boot: Seconds) -> String {
    let apps = u32::try_from(plan.apps.len()).unwrap_or(u32::MAX);
    let slots = plan.slots.clamp(1, apps.max(1));
    let whole = |pods: u32| Seconds::from(boot.duration().saturating_mul(pods));
    let pods = |count: u32| if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") };
    format!(
        "until Django is loaded a pod takes {boot}: isolation app starts {}, {} in all; \
         isolation fork starts {}, {}\n",
        pods(apps),
        whole(apps),
        pods(slots),
        whole(slots),
    )
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::AppLabel;
    use muletrain_proto::plan::PlannedApp;

    use super::*;

    #[test]
    fn the_plan_reads_as_a_list_with_reasons() {
        let app = |label: &str, reason: &str| PlannedApp {
            app: AppLabel::new(label).unwrap(),
            estimate: None,
            longest: None,
            test_files: 1,
            reason: reason.to_owned(),
        };
        let apps = vec![app("catalog", "took 12 s before"), app("blog", "took 3.0 s before")];
        let lower_bound = Seconds::new(12.0).unwrap();
        insta::assert_snapshot!(render(&Plan { apps, slots: 2, lower_bound }, None), @r"
          1  catalog  took 12 s before
          2  blog     took 3.0 s before
        by past timings, 2 slots take at least 12 s
        ");
        assert_eq!(render(&Plan::default(), None), "nothing to run: no app has test modules\n");
    }

    #[test]
    fn what_each_isolation_costs_is_said_where_it_is_known() {
        let app = |label: &str| PlannedApp {
            app: AppLabel::new(label).unwrap(),
            estimate: None,
            longest: None,
            test_files: 1,
            reason: String::new(),
        };
        let apps = vec![app("a"), app("b"), app("c")];
        let plan = Plan { apps, slots: 2, lower_bound: Seconds::ZERO };
        let text = render(&plan, Seconds::new(2.5).ok());
        let wanted = "until Django is loaded a pod takes 2.5 s: isolation app starts 3 pods, 7.5 s \
                      in all; isolation fork starts 2 pods, 5.0 s";
        assert_eq!(text.lines().last(), Some(wanted));
        let alone = Plan { apps: vec![app("a")], ..plan };
        assert!(render(&alone, Seconds::new(2.5).ok()).contains("fork starts 1 pod, 2.5 s"));
    }
}
