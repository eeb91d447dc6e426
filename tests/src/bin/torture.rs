//! The scenarios of `tests::torture` from the command line: at full scale, and against other shippers.
//!
//! Enters: which shipper, which scenarios, how much, a seed. Leaves: a table. Ends with 1 when something was not as it must be.

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tests::dice::Dice;
use tests::torture::{self, Outcome, Peer, Scale};

/// What disks, operators and brokers do to a log shipper, and what arrives.
#[derive(Debug, Parser)]
struct Flags {
    /// The shipper.
    #[arg(long, value_enum, default_value = "shipper")]
    peer: Name,
    /// How much of it.
    #[arg(long, value_enum, default_value = "full")]
    scale: Size,
    /// Scenarios whose names start with one of these words; all when there is none.
    #[arg(long)]
    only: Vec<String>,
    /// The seed of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints the scenarios' names.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    Shipper,
    Filebeat,
    FluentBit,
    Vector,
    Rsyslog,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Size {
    Small,
    Full,
}

impl Flags {
    fn peer(&self) -> Peer {
        match self.peer {
            Name::Shipper => Peer::Shipper,
            Name::Filebeat => Peer::Filebeat,
            Name::FluentBit => Peer::FluentBit,
            Name::Vector => Peer::Vector,
            Name::Rsyslog => Peer::Rsyslog,
        }
    }

    fn scale(&self) -> Scale {
        match self.scale {
            Size::Small => Scale::Small,
            Size::Full => Scale::Full,
        }
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| name.starts_with(word.as_str()))
    }
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let scenarios = torture::all().into_iter().filter(|scenario| flags.is_wanted(scenario.name));
    if flags.list {
        scenarios.for_each(|scenario| println!("{}", scenario.name));
        return ExitCode::SUCCESS;
    }
    let peer = flags.peer();
    if peer.program().is_none() {
        println!("{} is not on the path", peer.name());
        return ExitCode::FAILURE;
    }
    let mut dice = flags.seed.map_or_else(Dice::new, Dice::from_seed);
    println!("{}", Outcome::head());
    let (mut good, mut bad) = (0, 0);
    // The broker lives as long as somebody holds it.
    let _broker = tests::part::kafka::Kafka::shared();
    for scenario in scenarios {
        let seed = dice.seed();
        match scenario.play(peer, flags.scale(), &mut dice) {
            Err(why) => println!("{:20} not played: {why}", scenario.name),
            Ok(outcome) => {
                println!("{}", outcome.row(scenario.name));
                let faults = outcome.faults(&scenario.expect);
                if !faults.is_empty() {
                    println!(
                        "    --seed {seed}: {}; {:?}\n{}",
                        faults.join(", "),
                        outcome.examples,
                        outcome.log
                    );
                }
                if faults.is_empty() { good += 1 } else { bad += 1 }
            }
        }
    }
    println!("{} passes {good} of {}", peer.name(), good + bad);
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
