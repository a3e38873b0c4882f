//! Memory: how much there is, and a way to take more until the container's limit says no.

use std::arch::wasm32;

use serde_json::json;

use crate::http::{Request, Response, Status};
use crate::page::{Tab, escape, layout, table};
use crate::router::bad_request;

const PAGE: usize = 64 * 1024;
const MIB: usize = 1024 * 1024;

/// The blocks taken so far; nothing reads them.
#[derive(Default)]
pub(crate) struct Memory {
    blocks: Vec<Vec<u8>>,
    /// What the last form came to, for the next page.
    report: Option<String>,
}

impl Memory {
    pub(crate) fn page(&mut self) -> Response {
        let facts = [
            ("Linear memory of this instance", size(linear_memory())),
            ("Held by the button below", size(self.held())),
            ("Blocks held", self.blocks.len().to_string()),
        ];
        let report = match self.report.take() {
            Some(report) => format!("<p class=report>{}</p>", escape(&report)),
            None => String::new(),
        };
        let body = format!(
            "<section><h2>Now</h2>{}{report}</section><section><h2>Change it</h2>\
             <form method=post class=row>\
             <label>MiB <input name=mib type=number min=1 max=4095 value=64 required></label>\
             <button name=do value=allocate>Allocate</button>\
             <button name=do value=clear formnovalidate>Clear</button></form>\
             <p class=hint>The memory of a WebAssembly instance never shrinks: what is cleared stays \
             with it and serves the next allocation. At the limit of the container, allocating \
             fails and the program goes on.</p></section>",
            table(["", ""], &facts),
        );
        Response::html(Status::Ok, layout(Tab::Memory, "Memory", &body))
    }

    pub(crate) fn form(&mut self, request: &Request) -> Response {
        match request.field("do").as_deref() {
            Some("allocate") => {
                let mib = request.field("mib").and_then(|text| text.parse::<usize>().ok());
                let Some(bytes) = mib.and_then(|mib| mib.checked_mul(MIB)) else {
                    return bad_request("`mib` must be a whole number from 1 to 4095");
                };
                self.report = Some(match self.allocate(bytes) {
                    Ok(()) => format!("Allocated {}", size(bytes)),
                    Err(problem) => problem,
                });
            }
            Some("clear") => {
                self.report = Some(format!("Cleared {}", size(self.clear())));
            }
            _ => return bad_request("`do` must be `allocate` or `clear`"),
        }
        Response::see_other(Tab::Memory.path())
    }

    pub(crate) fn api(&self) -> Response {
        Response::json(&json!({
            "memStats": {
                "linearMemoryBytes": linear_memory(),
                "heldBytes": self.held(),
                "heldBlocks": self.blocks.len(),
            },
        }))
    }

    /// `POST /mem/api/alloc?size=BYTES`
    pub(crate) fn allocate_api(&mut self, request: &Request) -> Response {
        let Some(bytes) = request.field("size").and_then(|text| text.parse::<usize>().ok()) else {
            return bad_request("`size` must be a number of bytes below 4 GiB");
        };
        match self.allocate(bytes) {
            Ok(()) => self.api(),
            Err(problem) => Response::text(Status::InsufficientStorage, &format!("{problem}\n")),
        }
    }

    pub(crate) fn clear_api(&mut self) -> Response {
        self.clear();
        self.api()
    }

    fn allocate(&mut self, bytes: usize) -> Result<(), String> {
        let mut block = Vec::new();
        if block.try_reserve_exact(bytes).is_err() {
            return Err(format!("{} more are not to be had", size(bytes)));
        }
        // Memory that was never written costs the host nothing; this is to be felt.
        block.resize(bytes, 1);
        self.blocks.push(block);
        Ok(())
    }

    fn clear(&mut self) -> usize {
        let held = self.held();
        self.blocks.clear();
        held
    }

    fn held(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }
}

fn linear_memory() -> usize {
    wasm32::memory_size::<0>() * PAGE
}

fn size(bytes: usize) -> String {
    if bytes < MIB {
        return format!("{bytes} bytes");
    }
    // In 64 bits: ten times the memory does not fit into the 32 of the guest.
    let tenths = bytes as u64 * 10 / MIB as u64;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
