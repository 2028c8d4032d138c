//! Systems without unix sockets: every use is an error that says so, and nobody is ever found running.

use std::path::Path;

use super::{ControlError, Service};
use crate::wire::control::{Event, Reply, Request};

/// No server here.
#[derive(Debug)]
pub enum Server {}

impl Server {
    /// Never.
    pub async fn stopped(&self) {
        match *self {}
    }

    /// Never.
    pub async fn shutdown(self) {
        match self {}
    }
}

/// Refuses.
///
/// # Errors
/// [`ControlError::Unsupported`], always.
pub async fn serve(_service: Service, _profile: &Path) -> Result<Server, ControlError> {
    Err(ControlError::Unsupported)
}

/// No connection here.
#[derive(Debug)]
pub enum Connection {}

impl Connection {
    /// Nobody.
    ///
    /// # Errors
    /// None.
    pub async fn connect(_profile: &Path) -> Result<Option<Self>, ControlError> {
        Ok(None)
    }

    /// Never.
    ///
    /// # Errors
    /// None.
    pub async fn call(&mut self, _request: Request) -> Result<Reply, ControlError> {
        match *self {}
    }

    /// Never.
    ///
    /// # Errors
    /// None.
    pub async fn events(self) -> Result<Events, ControlError> {
        match self {}
    }
}

/// No events here.
#[derive(Debug)]
pub enum Events {}

impl Events {
    /// Never.
    ///
    /// # Errors
    /// None.
    pub async fn next(&mut self) -> Result<Option<Event>, ControlError> {
        match *self {}
    }
}
