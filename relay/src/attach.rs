//! Joins the network node to the server: requests go to the domain, what the domain has for a device goes out as pushes.
//!
//! A device's first fetch opens its way for pushes; its answer to a push acknowledges what the push brought, and nothing is taken
//! from its mailbox before it has said that it holds it and everything before it (`pusher`).

mod pusher;

use kith_core::net::{Multiaddr, TransportKey};
use kith_core::wire::relay::Request;
use zeroize::Zeroizing;

use crate::domain::Caller;
use crate::node::{Node, NodeConfig, NodeError, NodeHandle};
use crate::server::{Server, ServerError};

use pusher::Pushers;

/// Starts the node of a server on the addresses of its configuration.
///
/// # Errors
/// When an address is malformed or cannot be listened on.
pub async fn attach_node(server: &mut Server) -> Result<NodeHandle, ServerError> {
    let config = node_config(server)?;
    let pushers = Pushers::default();
    let node = match listen(server, &pushers, config.clone()).await {
        // A machine without IPv6 runs the default all the same.
        Err(NodeError::Listen { address, .. }) if address.contains("ip6") && server.config().listens_by_default() => {
            tracing::info!("There is no IPv6 here.");
            let listened = config.listen.iter().filter(|address| !address.to_string().starts_with("/ip6")).cloned();
            listen(server, &pushers, NodeConfig { listen: listened.collect(), ..config }).await
        }
        other => other,
    };
    let node = node.map_err(node_error)?;
    pushers.set_node(node.clone());
    let (ending, stopping) = (node.clone(), server.stopping());
    server.attach(async move {
        stopping.cancelled().await;
        pushers.end_all();
        ending.shutdown().await;
    });
    Ok(node)
}

async fn listen(server: &Server, pushers: &Pushers, config: NodeConfig) -> Result<NodeHandle, NodeError> {
    let (handle, asked) = (server.handle(), pushers.clone());
    let request = move |caller: Caller, request: Request| {
        let (handle, pushers) = (handle.clone(), asked.clone());
        async move {
            match request {
                Request::Fetch { from } => pushers.fetch(&handle, caller, from).await,
                other => handle.request(caller, other).await,
            }
        }
    };
    let (handle, left) = (server.handle(), pushers.clone());
    let gone = move |peer: [u8; 32]| {
        // Taken out at once: by the time a later connection of this key asks anything, nothing of this one is in its way.
        let (handle, ended) = (handle.clone(), left.take(&peer));
        async move { pusher::end(&handle, peer, ended).await }
    };
    Node::start(config, request, server.blobs(), gone).await
}

fn node_config(server: &Server) -> Result<NodeConfig, ServerError> {
    let seed = Zeroizing::new(*server.node_seed().expose());
    let key = TransportKey::from_seed(seed).map_err(|_| ServerError::Node("the node's key cannot be used".into()))?;
    let parse = |text: &String| {
        text.parse::<Multiaddr>().map_err(|error| ServerError::Node(format!("{text:?} is not a multiaddr: {error}")))
    };
    let config = server.config();
    Ok(NodeConfig {
        key,
        metrics: server.handle().metrics().clone(),
        listen: config.listen.iter().map(parse).collect::<Result<_, _>>()?,
        external: config.external.iter().map(parse).collect::<Result<_, _>>()?,
        max_connections: config.max_connections,
        max_circuits: config.max_circuits,
    })
}

fn node_error(error: NodeError) -> ServerError {
    ServerError::Node(error.to_string())
}
