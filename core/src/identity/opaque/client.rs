//! The side that knows the password.

use std::fmt;

use opaque_ke::{
    ClientLoginFinishParameters, ClientRegistrationFinishParameters, CredentialResponse, RegistrationResponse,
};
use zeroize::Zeroizing;

use super::{Answer, Binding, ExportKey, Message, OpaqueError, SessionKey, Suite, exact};
use crate::identity::stretch::Stretching;
use crate::types::Rng;
use crate::wire::codec::Body;

/// A registration that waits for the relay's answer. Also the new half of a changed password.
pub struct ClientRegistration {
    state: opaque_ke::ClientRegistration<Suite>,
    password: Zeroizing<Vec<u8>>,
}

/// What a registration ends with.
#[derive(Debug)]
pub struct Registered {
    /// For the relay: its [`PasswordFile`](super::PasswordFile).
    pub upload: Vec<u8>,
    /// For the vault.
    pub export_key: ExportKey,
}

impl ClientRegistration {
    /// Begins; the bytes are for the relay.
    ///
    /// # Errors
    /// [`OpaqueError::Internal`] only.
    pub fn start(rng: &mut Rng, password: &str) -> Result<(Self, Vec<u8>), OpaqueError> {
        let started = opaque_ke::ClientRegistration::<Suite>::start(rng, password.as_bytes())?;
        let request = Message { opaque: started.message.serialize().to_vec() }.encode();
        let password = Zeroizing::new(password.as_bytes().to_vec());
        Ok((Self { state: started.state, password }, request))
    }

    /// Ends, with the relay's answer. Takes the time of the stretching.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`], [`OpaqueError::WrongServer`], or [`OpaqueError::ParametersTooWeak`] when the relay asks
    /// for a stretching out of bounds.
    pub fn finish(self, rng: &mut Rng, binding: &Binding, answer: &[u8]) -> Result<Registered, OpaqueError> {
        let Answer { relay, stretching, opaque } = Answer::decode(answer)?;
        if relay != binding.relay {
            return Err(OpaqueError::WrongServer);
        }
        let stretching = stretching.check().map_err(|_| OpaqueError::ParametersTooWeak)?;
        let argon2 = stretching.argon2().map_err(|_| OpaqueError::ParametersTooWeak)?;
        let response =
            exact(&opaque, RegistrationResponse::<Suite>::deserialize, |message| message.serialize().to_vec())?;
        let parameters = ClientRegistrationFinishParameters::new(binding.identifiers(), Some(&argon2));
        let finished = self.state.finish(rng, &self.password, response, parameters)?;
        let opaque = finished.message.serialize().to_vec();
        Ok(Registered {
            upload: Answer { relay, stretching, opaque }.encode(),
            export_key: ExportKey::from_output(finished.export_key),
        })
    }
}

impl fmt::Debug for ClientRegistration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientRegistration(…)")
    }
}

/// A log-in that waits for the relay's answer.
pub struct ClientLogin {
    state: opaque_ke::ClientLogin<Suite>,
    password: Zeroizing<Vec<u8>>,
}

/// What a log-in ends with.
#[derive(Debug)]
pub struct LoggedIn {
    /// For the relay: the proof that the password was right.
    pub finalization: Vec<u8>,
    /// Shared with the relay.
    pub session_key: SessionKey,
    /// For the vault; the same as at the registration.
    pub export_key: ExportKey,
    /// How the password is stretched; when it is less than [`Stretching::RECOMMENDED`], register it anew.
    pub stretching: Stretching,
}

impl ClientLogin {
    /// Begins; the bytes are for the relay.
    ///
    /// # Errors
    /// [`OpaqueError::Internal`] only.
    pub fn start(rng: &mut Rng, password: &str) -> Result<(Self, Vec<u8>), OpaqueError> {
        let started = opaque_ke::ClientLogin::<Suite>::start(rng, password.as_bytes())?;
        let request = Message { opaque: started.message.serialize().to_vec() }.encode();
        let password = Zeroizing::new(password.as_bytes().to_vec());
        Ok((Self { state: started.state, password }, request))
    }

    /// Ends, with the relay's answer. Takes the time of the stretching.
    ///
    /// # Errors
    /// [`OpaqueError::WrongPassword`], [`OpaqueError::WrongServer`], [`OpaqueError::ParametersTooWeak`] or
    /// [`OpaqueError::Malformed`].
    pub fn finish(self, rng: &mut Rng, binding: &Binding, answer: &[u8]) -> Result<LoggedIn, OpaqueError> {
        let Answer { relay, stretching, opaque } = Answer::decode(answer)?;
        if relay != binding.relay {
            return Err(OpaqueError::WrongServer);
        }
        let argon2 = stretching.argon2().map_err(|_| OpaqueError::ParametersTooWeak)?;
        let response =
            exact(&opaque, CredentialResponse::<Suite>::deserialize, |message| message.serialize().to_vec())?;
        let context = binding.context();
        let parameters = ClientLoginFinishParameters::new(Some(&context), binding.identifiers(), Some(&argon2));
        let finished = self.state.finish(rng, &self.password, response, parameters)?;
        Ok(LoggedIn {
            finalization: Message { opaque: finished.message.serialize().to_vec() }.encode(),
            session_key: SessionKey::from_output(finished.session_key),
            export_key: ExportKey::from_output(finished.export_key),
            stretching,
        })
    }
}

impl fmt::Debug for ClientLogin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientLogin(…)")
    }
}
