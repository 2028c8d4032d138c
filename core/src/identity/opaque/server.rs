//! The relay's side, which never sees the password.

use std::fmt;

use opaque_ke::{
    CredentialFinalization, CredentialRequest, RegistrationRequest, RegistrationUpload, ServerLogin, ServerRegistration,
};
use ring::hmac;
use zeroize::Zeroizing;

use super::{Answer, Binding, Message, OpaqueError, SessionKey, Suite, exact};
use crate::identity::handle::Handle;
use crate::identity::relay_key::RelayId;
use crate::identity::stretch::Stretching;
use crate::types::Rng;
use crate::wire::codec::Body;

/// What the relay stores of an account's password. It is useless without the relay's [`ServerSetup`], and to be guarded
/// as if it were not: who has both can guess at the price of the stretching.
#[derive(Clone)]
pub struct PasswordFile {
    stretching: Stretching,
    registration: ServerRegistration<Suite>,
    relay: RelayId,
}

impl PasswordFile {
    /// Takes what the client uploads at the end of a registration.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`], or [`OpaqueError::ParametersTooWeak`] when the client stretched less than the floor.
    pub fn from_upload(upload: &[u8]) -> Result<Self, OpaqueError> {
        let Answer { relay, stretching, opaque } = Answer::decode(upload)?;
        let stretching = stretching.check().map_err(|_| OpaqueError::ParametersTooWeak)?;
        let upload = exact(&opaque, RegistrationUpload::<Suite>::deserialize, |message| message.serialize().to_vec())?;
        Ok(Self { stretching, registration: ServerRegistration::finish(upload), relay })
    }

    /// Its bytes, for the relay's store; [`PasswordFile::from_upload`] reads them.
    pub fn encode(&self) -> Vec<u8> {
        let opaque = self.registration.serialize().to_vec();
        Answer { relay: self.relay, stretching: self.stretching, opaque }.encode()
    }

    /// How the password is stretched.
    pub const fn stretching(&self) -> Stretching {
        self.stretching
    }
}

impl fmt::Debug for PasswordFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordFile(…)")
    }
}

/// The relay's long-lived OPAQUE secrets. Losing them ends every log-in: they belong to its backup.
pub struct ServerSetup {
    setup: opaque_ke::ServerSetup<Suite>,
    relay: RelayId,
}

impl ServerSetup {
    const FORMAT: u8 = 1;

    /// Draws the secrets of a new relay.
    pub fn generate(rng: &mut Rng, relay: RelayId) -> Self {
        Self { setup: opaque_ke::ServerSetup::new(rng), relay }
    }

    /// The secrets, for the relay's key file.
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let setup = Zeroizing::new(self.setup.serialize());
        Zeroizing::new([&[Self::FORMAT], setup.as_slice()].concat())
    }

    /// Reads what [`ServerSetup::to_secret_bytes`] wrote.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`].
    pub fn from_secret_bytes(bytes: &[u8], relay: RelayId) -> Result<Self, OpaqueError> {
        match bytes.split_first() {
            Some((&Self::FORMAT, rest)) => {
                let setup =
                    exact(rest, opaque_ke::ServerSetup::<Suite>::deserialize, |setup| setup.serialize().to_vec())?;
                Ok(Self { setup, relay })
            }
            _ => Err(OpaqueError::Malformed),
        }
    }

    /// Answers the first message of a registration. That the handle is free, or the account signed in, is for the caller.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`].
    pub fn registration(&self, handle: &Handle, request: &[u8]) -> Result<Vec<u8>, OpaqueError> {
        let Message { opaque } = Message::decode(request)?;
        let request =
            exact(&opaque, RegistrationRequest::<Suite>::deserialize, |message| message.serialize().to_vec())?;
        let started = ServerRegistration::<Suite>::start(&self.setup, request, handle.as_str().as_bytes())?;
        let opaque = started.message.serialize().to_vec();
        Ok(Answer { relay: self.relay, stretching: Stretching::RECOMMENDED, opaque }.encode())
    }

    /// Answers the first message of a log-in.
    ///
    /// `file` is `None` for an unknown handle: the answer then has the same form, and parameters that are always the same
    /// for that handle, from `in_use`, the ones that known accounts have (empty: the recommended ones).
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`].
    pub fn login(
        &self,
        rng: &mut Rng,
        handle: &Handle,
        file: Option<&PasswordFile>,
        in_use: &[Stretching],
        request: &[u8],
    ) -> Result<(LoginPending, Vec<u8>), OpaqueError> {
        let Message { opaque } = Message::decode(request)?;
        let request = exact(&opaque, CredentialRequest::<Suite>::deserialize, |message| message.serialize().to_vec())?;
        let binding = Binding { relay: self.relay, handle: handle.clone() };
        let dummy = self.dummy_stretching(handle, in_use);
        let stretching = file.map_or(dummy, PasswordFile::stretching);
        let started = ServerLogin::<Suite>::start(
            rng,
            &self.setup,
            file.map(|file| file.registration.clone()),
            request,
            handle.as_str().as_bytes(),
            binding.server_parameters(&binding.context()),
        )?;
        let opaque = started.message.serialize().to_vec();
        let answer = Answer { relay: self.relay, stretching, opaque }.encode();
        Ok((LoginPending { state: started.state, binding }, answer))
    }

    fn dummy_stretching(&self, handle: &Handle, in_use: &[Stretching]) -> Stretching {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.to_secret_bytes());
        let tag = hmac::sign(&key, &[b"kith/dummy/1".as_slice(), handle.as_str().as_bytes()].concat());
        let number = tag.as_ref().iter().take(7).fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        let place = number.checked_rem(in_use.len()).unwrap_or_default();
        in_use.get(place).copied().unwrap_or(Stretching::RECOMMENDED)
    }
}

impl fmt::Debug for ServerSetup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerSetup(…)")
    }
}

/// A log-in that waits for the client's proof. It lives as long as the connection, or a minute.
pub struct LoginPending {
    state: ServerLogin<Suite>,
    binding: Binding,
}

impl LoginPending {
    /// Whose log-in it is.
    pub const fn handle(&self) -> &Handle {
        &self.binding.handle
    }

    /// Checks the client's proof.
    ///
    /// # Errors
    /// [`OpaqueError::WrongPassword`] (always for an unknown handle) or [`OpaqueError::Malformed`].
    pub fn finish(self, finalization: &[u8]) -> Result<SessionKey, OpaqueError> {
        let Message { opaque } = Message::decode(finalization)?;
        let message =
            exact(&opaque, CredentialFinalization::<Suite>::deserialize, |message| message.serialize().to_vec())?;
        let context = self.binding.context();
        let finished = self.state.finish(message, self.binding.server_parameters(&context))?;
        Ok(SessionKey::from_output(finished.session_key))
    }
}

impl fmt::Debug for LoginPending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LoginPending(…)")
    }
}
