//! Text in, valid Pods out. Pure: nothing here waits, runs or opens a socket.
