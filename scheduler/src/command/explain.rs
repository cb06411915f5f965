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
    let targets = label::resolve(&settings.options.labels, &snapshot.apps).unwrap_or_default();
    let wanted = label::named_apps(&targets, &snapshot.apps);
    let estimates = history.estimates(&snapshot.name)?;
    let plan = plan::make(wanted.into_iter(), &estimates, slots);
    std::io::stdout().write_all(render(&plan).as_bytes())?;
    Ok(if plan.apps.is_empty() { ExitCode::Usage } else { ExitCode::Green })
}

fn render(plan: &Plan) -> String {
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
    }
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
            test_files: 1,
            reason: reason.to_owned(),
        };
        let apps = vec![app("catalog", "took 12 s before"), app("blog", "took 3.0 s before")];
        let lower_bound = Seconds::new(12.0).unwrap();
        insta::assert_snapshot!(render(&Plan { apps, slots: 2, lower_bound }), @r"
          1  catalog  took 12 s before
          2  blog     took 3.0 s before
        by past timings, 2 slots take at least 12 s
        ");
        assert_eq!(render(&Plan::default()), "nothing to run: no app has test modules\n");
    }
}
