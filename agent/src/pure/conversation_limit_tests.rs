//! The time of a run in the conversation of a lease.

use super::*;

#[test]
fn what_follows_a_time_limit_is_not_cut_off_where_the_lease_is_asked_back() {
    let timed_out = || {
        Event::TimedOut(TimedOut {
            test: test("a.B.c"),
            r#try: 1,
            seconds: seconds(60),
            stacks: String::new(),
            output: Printed::default(),
            limit_of: LimitOf::Run,
            tests: vec![],
        })
    };
    let mut talk = Talk::running().with_an_end();
    talk.say(begins("a.B.c"));
    assert_eq!(talk.say(timed_out()), ["event `timed_out`"]);
    assert_eq!(talk.tell(Input::Revoke), ["command `stop`"]);
    assert_eq!(talk.say(torn_down()), ["event `hook`"]);
    let (waited, outputs) = talk.wait();
    assert_eq!((waited, outputs), (STOP_LIMIT, vec!["kill".to_owned()]));
}

#[test]
fn a_pod_is_told_how_much_time_its_run_has_left() {
    let mut talk = Talk::of(work());
    let ends = talk.now + Duration::from_secs(90);
    talk.conversation = talk.conversation.until(Some(ends));
    talk.tell(started());
    talk.now += Duration::from_secs(30);
    let outputs = talk.conversation.handle(talk.now, Input::Line(Ok(Line::Event(booted()))));
    let left = outputs.iter().find_map(|output| match output {
        Output::Command(Command::Assign { time_left, .. }) => *time_left,
        _ => None,
    });
    assert_eq!(left, Some(seconds(60)));
}
