//! Prints how near the scheduler comes to the lower bound, beside other ways to share tests out.

use std::io::Write;

use muletrain_tests::simulation::suite::Shape;
use muletrain_tests::simulation::{Case, table};

const PLAIN: Shape =
    Shape { classes: 300, apps: 20, work: 1200.0, setup: 0.0, unknown: 0.05, noise: 0.2 };

fn main() -> std::io::Result<()> {
    let seeds = std::env::args().nth(1).and_then(|seeds| seeds.parse().ok()).unwrap_or(300);
    let case = |shape, slots| Case { shape, slots, host_noise: 0.15, has_slow_host: false };
    let set_up = Shape { setup: 3.0, ..PLAIN };
    let cases = [
        ("8 slots", case(PLAIN, 8)),
        ("24 slots", case(PLAIN, 24)),
        ("8, set-up 3 s", case(set_up, 8)),
        ("24, set-up 3 s", case(set_up, 24)),
        ("8, one slow host", Case { has_slow_host: true, ..case(PLAIN, 8) }),
    ];
    std::io::stdout().write_all(table(&cases, seeds).as_bytes())
}
