//! What happened in a pod.

use super::{At, Error, counted};
use crate::artifact::Artifact;
use crate::coverage::Combined;
use crate::event::{
    Booted, ClassTimes, Closed, Collected, Event, Failed, Finished, Fixture, Found, Planned,
    PodStarted, Ready, TimedOut, Warming,
};
use crate::hook::Hook;
use crate::id::TestId;
use crate::inventory::Inventory;
use crate::outcome::Ending;
use crate::wire::{self, event::Event as Kind};

impl TryFrom<wire::Event> for Event {
    type Error = Error;

    fn try_from(message: wire::Event) -> Result<Self, Error> {
        Ok(match message.event.ok_or_else(Error::missing).at("event")? {
            Kind::Warming(message) => Self::Warming(Warming::try_from(message).at("warming")?),
            Kind::PodStarted(message) => {
                Self::PodStarted(PodStarted::try_from(message).at("pod_started")?)
            }
            Kind::Booted(message) => Self::Booted(Booted::try_from(message).at("booted")?),
            Kind::Collected(message) => {
                Self::Collected(Collected::try_from(message).at("collected")?)
            }
            Kind::Planned(message) => Self::Planned(Planned::try_from(message).at("planned")?),
            Kind::Ready(message) => Self::Ready(Ready::try_from(message).at("ready")?),
            Kind::Found(message) => {
                let inventory = Inventory::try_from(message).at("found")?;
                Self::Found(Found { inventory })
            }
            Kind::Started(message) => Self::Started {
                test: TestId::new(message.test).at("started.test")?,
                r#try: counted(message.r#try, "started.try")?,
            },
            Kind::Finished(message) => Self::Finished(Finished::try_from(message).at("finished")?),
            Kind::Fixture(message) => Self::Fixture(Fixture::try_from(message).at("fixture")?),
            Kind::Class(message) => Self::Class(ClassTimes::try_from(message).at("class")?),
            Kind::Done(message) => Self::Done { grant: counted(message.grant, "done.grant")? },
            Kind::Failed(message) => Self::Failed(Failed::try_from(message).at("failed")?),
            Kind::TimedOut(message) => Self::TimedOut(TimedOut::try_from(message).at("timed_out")?),
            Kind::Closed(wire::Closed { tests, peak_kib }) => {
                Self::Closed(Closed { tests, peak_kib })
            }
            Kind::Artifact(message) => Self::Artifact(Artifact::try_from(message).at("artifact")?),
            Kind::Hook(message) => Self::Hook(Hook::try_from(message).at("hook")?),
            Kind::Warnings(message) => Self::Warnings(message.into()),
            Kind::Combined(message) => Self::Combined(Combined::try_from(message).at("combined")?),
            Kind::Ended(message) => Self::Ended(Ending::try_from(message).at("ended")?),
        })
    }
}

impl From<Event> for wire::Event {
    fn from(event: Event) -> Self {
        let event = match event {
            Event::Warming(event) => Kind::Warming(event.into()),
            Event::PodStarted(event) => Kind::PodStarted(event.into()),
            Event::Booted(event) => Kind::Booted(event.into()),
            Event::Collected(event) => Kind::Collected(event.into()),
            Event::Planned(event) => Kind::Planned(event.into()),
            Event::Ready(event) => Kind::Ready(event.into()),
            Event::Found(event) => Kind::Found(event.inventory.into()),
            Event::Started { test, r#try } => {
                Kind::Started(wire::TestStarted { test: test.into(), r#try })
            }
            Event::Finished(event) => Kind::Finished(event.into()),
            Event::Fixture(event) => Kind::Fixture(event.into()),
            Event::Class(event) => Kind::Class(event.into()),
            Event::Done { grant } => Kind::Done(wire::Done { grant }),
            Event::Failed(event) => Kind::Failed(event.into()),
            Event::TimedOut(event) => Kind::TimedOut(event.into()),
            Event::Closed(Closed { tests, peak_kib }) => {
                Kind::Closed(wire::Closed { tests, peak_kib })
            }
            Event::Artifact(event) => Kind::Artifact(event.into()),
            Event::Hook(event) => Kind::Hook(event.into()),
            Event::Warnings(event) => Kind::Warnings(event.into()),
            Event::Combined(event) => Kind::Combined(event.into()),
            Event::Ended(ending) => Kind::Ended(ending.into()),
        };
        Self { event: Some(event) }
    }
}
