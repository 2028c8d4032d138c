//! The relay's process: reads its settings, runs a [`Server`] until it is told to stop, or does what its operator asks.

use std::process::ExitCode;

use clap::Parser;
use kith_relay::admin::{Arguments, Task, greeting, init_logs};
use kith_relay::attach::attach_node;
use kith_relay::config::Config;
use kith_relay::server::{Server, ServerError};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().execute(std::env::vars()).await {
        Ok(Task::Print(text, good)) => {
            println!("{text}");
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
    let addresses: Vec<String> = node.addresses().iter().map(ToString::to_string).collect();
    println!("{}", greeting(&server.relay_id(), &addresses, &server.config().data_dir));
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        server.join().await;
        return Ok(());
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("Told to stop."),
        _ = interrupt.recv() => tracing::info!("Told to stop."),
        () = server.join() => tracing::error!("A part of the relay has ended."),
    }
    server.shutdown().await;
    Ok(())
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("kith-relay: {error}");
    ExitCode::FAILURE
}
