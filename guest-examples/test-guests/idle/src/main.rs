//! Greets, then waits for ever: what a Pod costs that does nothing.

use std::thread::sleep;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn main() {
    println!("idle");
    loop {
        sleep(HOUR);
    }
}
