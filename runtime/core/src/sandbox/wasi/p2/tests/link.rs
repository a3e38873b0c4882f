//! A component that calls the host itself.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use super::Guest;
use crate::sandbox::wasi::p2::{add_to_linker, link_interface};

/// Asks for the network and drops it again.
const COMPONENT: &str = r#"
(component
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))))
  (alias export $network "network" (type $handle))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance-network
    (alias outer 1 $handle (type $outer))
    (export "network" (type $network (eq $outer)))
    (export "instance-network" (func (result (own $network))))))
  (core func $drop (canon resource.drop $handle))
  (core func $get (canon lower (func $instance-network "instance-network")))
  (core module $module
    (import "" "get" (func $get (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (call $drop (call $get))))
  (core instance $core (instantiate $module (with "" (instance
    (export "get" (func $get))
    (export "drop" (func $drop))))))
  (func (export "run") (canon lift (core func $core "run")))
)
"#;

#[tokio::test]
async fn a_component_gets_the_interfaces_that_it_imports() {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(COMPONENT).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    for interface in ["wasi:sockets/network", "wasi:sockets/instance-network"] {
        assert!(link_interface::<Guest>(&mut linker, interface).unwrap());
    }
    assert!(!link_interface::<Guest>(&mut linker, "wasi:io/poll").unwrap());
    let mut store = Store::new(&engine, Guest::new());
    let instance = linker.instantiate_async(&mut store, &component).await.unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    run.call_async(&mut store, ()).await.unwrap();
    assert!(store.data().table.is_empty());

    let mut all = Linker::new(&engine);
    add_to_linker::<Guest>(&mut all).unwrap();
    all.instantiate_pre(&component).unwrap();
}
