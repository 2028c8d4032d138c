//! The relay's process: reads its settings, runs a [`Server`] until it is told to stop, or does what its operator asks.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use kith_relay::admin::{Arguments, Task, greeting, init_logs};
use kith_relay::attach::attach_node;
use kith_relay::config::Config;
use kith_relay::server::{Server, ServerError};

/// How long threads that wait for a disk may keep the process at its end, after the server has had its time: together they stay
/// under the five seconds in which SIGTERM has to be obeyed.
const THREADS: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let code = runtime.block_on(execute());
    runtime.shutdown_timeout(THREADS);
    code
}

async fn execute() -> ExitCode {
    match Arguments::parse().execute(std::env::vars_os()).await {
        Ok(Task::Print(text, good)) => {
            say(&text);
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Task::Run(config)) => match run(*config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Err(error) => fail(&error),
    }
}

async fn run(config: Config) -> Result<(), ServerError> {
    init_logs(&config);
    let mut server = Server::bind(config).await?;
    let node = attach_node(&mut server).await?;
    let told = told_to_stop();
    let addresses: Vec<String> = node.addresses().iter().map(ToString::to_string).collect();
    say(&greeting(&server.relay_id(), &addresses, &server.config().data_dir, server.http_addr()));
    let Ok(told) = told else {
        server.join().await;
        return Ok(());
    };
    tokio::select! {
        () = told => tracing::info!("Told to stop."),
        () = server.join() => tracing::error!("A part of the relay has ended."),
    }
    server.shutdown().await;
    Ok(())
}

/// From here on a signal to stop is heard; it comes by what this returns.
#[cfg(unix)]
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// From here on Ctrl+C is heard, and that the console closes or the system shuts down; it comes by what this returns.
#[cfg(windows)]
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut interrupt, mut close, mut shutdown) = (ctrl_c()?, ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}

/// Whoever started the relay may have stopped listening: that is no reason for it to end.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("kith-relay: {error}");
    ExitCode::FAILURE
}
