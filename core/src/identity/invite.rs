//! Invite links, `kith://add/<base64url>`: an account id, so that nobody has to be trusted for the look-up.
//!
//! A link proves nothing about who sent it, and it grants nothing: who has it can ask for contact like anybody else.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::error::FormatError;
use super::handle::Handle;
use super::record::RelayAddress;
use super::signed::decode;
use crate::types::AccountId;
use crate::wire::codec::{Body, DecodeError, at_most};

const WHAT: &str = "an invite";
const PREFIX: &str = "kith://add/";
/// A QR code of middling density holds it (version 40 holds 2953 bytes).
const MAX_BYTES: usize = 1536;
/// A relay to ask first, and spares.
const MAX_RELAYS: usize = 4;

/// Where to find a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The person.
    pub account: AccountId,
    /// Their handle at the first relay, as a hint for the screen.
    pub handle: Option<Handle>,
    /// Where to ask for their account record; at most 4.
    pub relays: Vec<RelayAddress>,
}

#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(rename = "a")]
    account: AccountId,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    #[serde(rename = "r")]
    relays: Vec<RelayAddress>,
}

impl Body for Fields {
    const MAX_BYTES: usize = MAX_BYTES;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.relays, MAX_RELAYS, "relays")?;
        self.relays.iter().try_for_each(RelayAddress::check)
    }
}

impl Invite {
    /// The link.
    ///
    /// # Errors
    /// [`FormatError`] when there are too many relays or addresses for a link.
    pub fn to_link(&self) -> Result<String, FormatError> {
        let handle = self.handle.as_ref().map(|handle| handle.as_str().to_owned());
        let bytes = Fields { account: self.account, handle, relays: self.relays.clone() }.encode();
        decode::<Fields>(&bytes, MAX_BYTES, WHAT)?;
        Ok(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// Reads a link.
    ///
    /// # Errors
    /// [`FormatError`] when it is not such a link, too long, or malformed.
    pub fn from_link(link: &str) -> Result<Self, FormatError> {
        let invalid = |why| FormatError::Invalid { what: WHAT, why };
        let text = link.trim().strip_prefix(PREFIX).ok_or(invalid("it is not a kith://add/ link"))?;
        if text.len() > MAX_BYTES.div_ceil(3) * 4 {
            return Err(invalid("it is too long"));
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| invalid("it is damaged"))?;
        let Fields { account, handle, relays } = decode(&bytes, MAX_BYTES, WHAT)?;
        let handle = handle.map(|handle| Handle::parse(&handle)).transpose();
        Ok(Self { account, handle: handle.map_err(|_| invalid("its handle is not one"))?, relays })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity::{PublicKey, RelayId};

    fn invite() -> Invite {
        let relay = RelayId::new(PublicKey::new([3; 32]));
        Invite {
            account: AccountId::new([7; 32]),
            handle: Some(Handle::parse("alice").unwrap()),
            relays: vec![RelayAddress { relay, addresses: vec!["/ip4/127.0.0.1/udp/4001/quic-v1".to_owned()] }],
        }
    }

    #[test]
    fn an_invite_survives_its_link() {
        let link = invite().to_link().unwrap();
        assert_eq!(Invite::from_link(&format!(" {link}\n")), Ok(invite()));
        let bare = Invite { handle: None, relays: Vec::new(), ..invite() };
        assert_eq!(Invite::from_link(&bare.to_link().unwrap()), Ok(bare));
    }

    #[test]
    fn too_many_relays_make_no_link() {
        let relays = vec![invite().relays[0].clone(); MAX_RELAYS + 1];
        assert!(Invite { relays, ..invite() }.to_link().is_err());
        let addresses = vec!["a".repeat(500); 4];
        let relays = vec![RelayAddress { addresses, ..invite().relays[0].clone() }];
        assert!(Invite { relays, ..invite() }.to_link().is_err());
    }

    #[test]
    fn what_is_no_link_is_refused() {
        let link = invite().to_link().unwrap();
        for wrong in ["", "https://example.org", "kith://add/", "kith://add/!!", &link.replace("add", "del")] {
            assert!(Invite::from_link(wrong).is_err(), "{wrong}");
        }
        assert!(Invite::from_link(&format!("{PREFIX}{}", "A".repeat(1 << 20))).is_err());
        assert!((0..link.len()).all(|length| Invite::from_link(&link[..length]).is_err()));
    }

    #[test]
    fn a_handle_inside_that_is_none_is_refused() {
        let fields = Fields { account: AccountId::new([7; 32]), handle: Some("a b".to_owned()), relays: Vec::new() };
        assert!(Invite::from_link(&format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&fields.encode()))).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut with_format = vec![1];
            with_format.extend(bytes);
            let _ = Invite::from_link(&format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&with_format)));
        }
    }
}
