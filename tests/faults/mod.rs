//! `kill -9` of commands and of Pods' processes at random moments, under load: afterwards every Pod is what
//! the store says, no write that was acknowledged is lost, and nothing is left of what is gone.
//!
//! The test does a few rounds. `just faults` goes on for as long as one likes; a seed makes the same choices
//! again, if not at the same moments.

mod audit;
mod commands;
mod model;
mod processes;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use self::audit::Seen;
use self::commands::{Commands, Ended};
use self::model::{Change, Outcome, Possible};
use crate::harness::{PodText, World, guest};

/// How many users there are, and how many Pods each of them has to himself.
const USERS: usize = 4;
const PODS: usize = 2;

/// How often something is killed before everything is looked at.
const KILLS: usize = 15;

/// How long things may be on their way, in looks that take a tenth of a second each at least.
const LOOKS: usize = 1200;

fn variable(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

#[test]
fn nothing_is_lost_and_nothing_is_left_by_kills() {
    let seed = variable("WASMPOD_FAULTS_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        u64::from(now.subsec_nanos())
    });
    let seconds = variable("WASMPOD_FAULTS_SECONDS");
    eprintln!("WASMPOD_FAULTS_SEED={seed}");
    let started = SystemTime::now();
    let elapsed = || started.elapsed().unwrap_or_default().as_secs();
    let world = World::new();
    let mut chance = StdRng::seed_from_u64(seed);
    let mut users: Vec<User> = (0..USERS).map(|number| User::new(number, &mut chance)).collect();
    let mut round = 0;
    loop {
        let kills = one_round(&world, &mut users, &mut chance);
        settle(&world, &mut users, seconds.is_some());
        round += 1;
        let commands: usize = users.iter().map(|user| user.history.len()).sum();
        eprintln!("round {round}: {kills} kills, {commands} commands so far, {} s", elapsed());
        if seconds.map_or(round == 2, |seconds| elapsed() >= seconds) {
            break;
        }
    }
}

/// Everybody works and some are killed; gives how often.
fn one_round(world: &World, users: &mut [User], chance: &mut StdRng) -> usize {
    let (commands, is_over) = (Commands::default(), AtomicBool::new(false));
    let mut kills = 0;
    scope(|threads| {
        for user in users {
            threads.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    user.do_something(world, &commands);
                }
            });
        }
        while kills < KILLS {
            // Not to wait for anything: the moment is what is tried.
            sleep(Duration::from_millis(chance.random_range(1..600)));
            kills += match chance.random_range(0..10) {
                0..5 => usize::from(commands.kill_one(chance)),
                5..9 => {
                    let mut processes = processes::of(world);
                    processes.extend(processes::of_services(world));
                    let chosen = (!processes.is_empty())
                        .then(|| processes[chance.random_range(0..processes.len())]);
                    chosen.into_iter().for_each(processes::kill);
                    usize::from(chosen.is_some())
                }
                _ => {
                    commands.kill_all();
                    processes::of(world).into_iter().for_each(processes::kill);
                    processes::of_services(world).into_iter().for_each(processes::kill);
                    1
                }
            };
        }
        is_over.store(true, Ordering::Relaxed);
    });
    kills
}

fn service_text(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n\
         spec: {{type: NodePort, selector: {{a: b}}, ports: [{{port: 80}}]}}\n"
    )
}

/// Looks until all is as it should be.
fn settle(world: &World, users: &mut [User], is_alone: bool) {
    let mut wrong = Vec::new();
    for _ in 0..LOOKS {
        // What the next Pod does on its way: it takes away what dead ones have left.
        let file = world.pod("sweeper", &[("main", &guest("hello"))]);
        let swept = world.wasmpod(["run", "--quiet", &file]).finish();
        assert_eq!(swept.code, 0, "{swept}");
        let seen = Seen::of(world);
        wrong = seen.faults(world, is_alone);
        for user in &*users {
            for pod in &user.pods {
                let state = seen.state(&pod.name);
                if !pod.possible.allows(state) {
                    wrong.push(format!("{} is {state:?}, not {:?}", pod.name, pod.possible));
                }
            }
        }
        if wrong.is_empty() {
            for pod in users.iter_mut().flat_map(|user| &mut user.pods) {
                pod.possible.is(seen.state(&pod.name));
            }
            return;
        }
        sleep(Duration::from_millis(50));
    }
    let history: Vec<&String> = users.iter().flat_map(|user| &user.history).collect();
    panic!("{history:#?}\n{wrong:#?}");
}

/// Somebody with Pods of his own.
struct User {
    pods: Vec<Owned>,
    chance: StdRng,
    next: u64,
    history: Vec<String>,
}

struct Owned {
    name: String,
    possible: Possible,
}

impl User {
    fn new(number: usize, chance: &mut StdRng) -> Self {
        let pod =
            |pod| Owned { name: format!("pod-{number}-{pod}"), possible: Possible::default() };
        Self {
            pods: (0..PODS).map(pod).collect(),
            chance: StdRng::seed_from_u64(chance.random()),
            next: 0,
            history: Vec::new(),
        }
    }

    fn do_something(&mut self, world: &World, commands: &Commands) {
        let chosen = self.chance.random_range(0..PODS);
        let name = self.pods[chosen].name.clone();
        self.next += 1;
        let number = self.next;
        let label = format!("labelled={number}");
        let file;
        let edit = format!("sed -i 's/labelled: .*/labelled: \"{number}\"/'");
        let service = name.replacen("pod", "service", 1);
        let (words, change): (Vec<&str>, _) = match self.chance.random_range(0..20) {
            0..5 => {
                file = PodText::new(&name)
                    .metadata(&format!("annotations: {{applied: \"{number}\"}}"))
                    .restart_policy("Always")
                    .container("main", &guest("toolbox"), &["idle"])
                    .write(world);
                (vec!["apply", "-f", &file], Some(Change::Apply(number)))
            }
            5..7 => {
                (vec!["label", "pod", &name, &label, "--overwrite"], Some(Change::Label(number)))
            }
            7 => (vec!["edit", "pod", &name], Some(Change::Label(number))),
            8 => (vec!["delete", "pod", &name, "--now"], Some(Change::Delete)),
            9 => (vec!["delete", "pod", &name, "--now", "--wait=false"], Some(Change::Dismiss)),
            10..12 => (vec!["exec", &name, "--", "toolbox.wasm", "exit", "0"], None),
            12 => (vec!["logs", &name], None),
            13 => (vec!["describe", "pod", &name], None),
            // What becomes of Services is looked at as a whole.
            14..17 => {
                file = world.file(&format!("{service}.yaml"), service_text(&service));
                (vec!["apply", "-f", &file], None)
            }
            17 => (vec!["delete", "service", &service, "--ignore-not-found"], None),
            _ => (vec!["get", "pods"], None),
        };
        let ended = commands.run(world, &words, &edit);
        let Ended { code, stdout, stderr } = &ended;
        let told: String = stdout.chars().take(80).collect();
        let line = format!("{words:?} {change:?}: {code:?}, {told:?}, {stderr:?}");
        self.history.push(line);
        assert!(!ended.stderr.contains("panicked"), "{words:?}: {ended:?}");
        let Some(change) = change else { return };
        let outcome = match ended {
            Ended { code: Some(0), stdout, .. } if stdout.contains(" created") => Outcome::Created,
            // An edit without a label to change.
            Ended { code: Some(0), stdout, .. } if stdout.contains("cancelled") => return,
            Ended { code: Some(0), .. } => Outcome::Done,
            _ => Outcome::Unknown,
        };
        self.pods[chosen].possible.change(change, outcome);
    }
}
