//! The report as one HTML page that needs nothing else: no network, no server, and for what failed
//! no scripts either.
//!
//! What is read first is HTML of its own, made here; the list of all tests and the timeline are made
//! by the page's script from packed columns ([`data`]). The page forbids itself everything but that
//! one script and that one style, and nothing from outside can be anything but text ([`markup`]).

mod ansi;
mod attempts;
mod cause;
mod columns;
mod data;
mod failures;
mod lists;
mod markup;
mod over_time;
mod overview;
mod pack;
mod tables;

use serde_json::json;

use self::data::Part;
use self::markup::Markup;
use self::over_time::Known;
use crate::pure::compare::Comparison;
use crate::pure::history::History;
use crate::pure::summary::Summary;
use crate::render::terminal::conclusion;

const STYLE: &str = include_str!("page.css");

/// One script of several files; each is a part of one closed scope.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("script/inflate.js"),
    include_str!("script/data.js"),
    include_str!("script/text.js"),
    include_str!("script/ansi.js"),
    include_str!("script/terms.js"),
    include_str!("script/filter.js"),
    include_str!("script/table.js"),
    include_str!("script/detail.js"),
    include_str!("script/trace.js"),
    include_str!("script/lanes.js"),
    include_str!("script/draw.js"),
    include_str!("script/timeline.js"),
    include_str!("script/help.js"),
    include_str!("script/page.js"),
    "})();\n"
);

const MARKS: &str = include_str!("marks.svg");

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%234f6bed' d='M1 3h9v3H1zM4 7h11v3H4zM2 11h7v3H2z'/%3E%3C/svg%3E";

/// What a page tells beside the results themselves.
#[derive(Debug, Default)]
pub struct Beside {
    /// What changed since an earlier result, and what that is called.
    pub comparison: Option<(String, Comparison)>,
    /// Runs before this one.
    pub history: Option<History>,
}

/// A part of the page that can be gone to.
struct Section {
    id: &'static str,
    title: &'static str,
    /// How many things are in it, where that says something.
    count: Option<usize>,
    body: Markup,
}

/// The page. The same results give the same bytes.
#[must_use]
pub fn html(summaries: &[&Summary], beside: &Beside) -> String {
    let causes = cause::causes(summaries);
    let looks_back = beside.comparison.is_some() || beside.history.is_some();
    let tests = summaries.iter().filter(|_| looks_back).flat_map(|summary| &summary.tests);
    let known: Known<'_> = tests.map(|test| test.id.as_str()).collect();
    let sections: Vec<Section> = [
        Some(failures::section(summaries, &causes)),
        beside.comparison.as_ref().map(|(name, found)| over_time::comparison(name, found, &known)),
        Some(timeline(summaries)),
        lists::flaky(summaries),
        lists::slowest(summaries),
        lists::apps(summaries),
        beside.history.as_ref().and_then(|history| over_time::history(history, &known)),
        lists::around(summaries),
        Some(all_tests(summaries)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let strips = beside.history.as_ref().map(over_time::strips);
    let parts = data::parts(summaries, &causes, &json!({ "history": strips }));
    page(summaries, &sections, &parts)
}

fn page(summaries: &[&Summary], sections: &[Section], parts: &[Part]) -> String {
    let mut page = Markup::default();
    page.constant("<!DOCTYPE html>\n");
    page.open("html", &[("lang", "en")]);
    page.within("head", &[], |head| self::head(head, summaries));
    page.constant("\n<body>\n").constant(MARKS);
    page.leaf("a", &[("class", "skip"), ("href", "#failures")], "Skip to failures");
    top(&mut page, summaries, sections);
    page.within("main", &[("id", "main")], |main| {
        main.append(&overview::overview(summaries));
        sections.iter().for_each(|section| write(main, section));
    });
    page.constant("<footer><p>Made by muletrain-reporter ")
        .text(env!("CARGO_PKG_VERSION"))
        .constant(". This file needs no network and no server.</p></footer>\n");
    for part in parts {
        let name = format!("data-{}", part.name);
        page.open("script", &[("type", "text/plain"), ("id", &name)]);
        page.packed(&part.packed).constant("</script>\n");
    }
    page.constant("<script>").constant(SCRIPT).constant("</script>\n</body></html>\n");
    page.finish()
}

fn head(head: &mut Markup, summaries: &[&Summary]) {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; \
         form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        pack::source(SCRIPT),
        pack::source(STYLE)
    );
    head.constant("<meta charset=\"utf-8\">\n");
    // Values of attributes are escaped, and quotes in them come back as quotes.
    head.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    head.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    head.open("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    head.open("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    head.open("link", &[("rel", "icon"), ("href", ICON)]);
    head.leaf("title", &[], &title(summaries));
    head.constant("\n<style>").constant(STYLE).constant("</style>");
}

fn title(summaries: &[&Summary]) -> String {
    let exit = summaries.iter().map(|summary| summary.exit).max().unwrap_or_default();
    format!("{} · {}", conclusion(exit), overview::name(summaries))
}

fn top(page: &mut Markup, summaries: &[&Summary], sections: &[Section]) {
    page.within("header", &[("class", "top")], |top| {
        top.within("a", &[("class", "brand"), ("href", "#main")], |brand| {
            overview::mark_of_all(brand, summaries);
            brand.leaf("span", &[], &overview::name(summaries));
        });
        top.within("nav", &[("aria-label", "Sections")], |nav| {
            for section in sections {
                let address = format!("#{}", section.id);
                nav.within("a", &[("href", &address)], |link| {
                    link.text(section.title);
                    if let Some(count) = section.count {
                        link.leaf("span", &[("class", "count")], &overview::grouped(count));
                    }
                });
            }
        });
        top.constant(
            "<div class=\"tools\" hidden>\
             <button type=\"button\" id=\"find\">Filter <kbd>/</kbd></button>\
             <button type=\"button\" id=\"theme\" aria-label=\"Colours: as the system\">Auto</button>\
             <button type=\"button\" id=\"help\" aria-label=\"Help and keys\"><kbd>?</kbd></button>\
             </div>",
        );
    });
}

fn write(main: &mut Markup, section: &Section) {
    let heading = format!("{}-title", section.id);
    main.within("section", &[("id", section.id), ("aria-labelledby", &heading)], |inside| {
        inside.within("h2", &[("id", &heading)], |title| {
            title.text(section.title);
            if let Some(count) = section.count {
                title.leaf("span", &[("class", "count")], &overview::grouped(count));
            }
        });
        inside.append(&section.body);
    });
    main.constant("\n");
}

/// A place for the timeline, and why there is none without scripts.
fn timeline(summaries: &[&Summary]) -> Section {
    let mut body = Markup::default();
    if summaries.iter().any(|summary| summary.is_foreign()) {
        body.constant(
            "<p class=\"hint\">Results of other tools do not say when each test ran on one clock, \
             so the tests of each host are laid end to end.</p>",
        );
    }
    body.constant(
        "<noscript><p class=\"hint\">The timeline needs scripts. \
         <code>--trace FILE</code> writes it for Perfetto.</p></noscript>\
         <div id=\"timeline-view\"></div>",
    );
    Section { id: "timeline", title: "Timeline", count: None, body }
}

/// A place for the list of all tests.
fn all_tests(summaries: &[&Summary]) -> Section {
    let mut body = Markup::default();
    body.constant(
        "<noscript><p class=\"hint\">The list of all tests needs scripts. What failed is above; \
         <code>--report-json FILE</code> writes everything.</p></noscript>\
         <div id=\"tests-view\"></div>",
    );
    let count = summaries.iter().map(|summary| summary.tests.len()).sum();
    Section { id: "tests", title: "All tests", count: Some(count), body }
}
