//! What the settings ask of a profile's speech: choices and models.

use kith_core::wire::control::{Listening, Reply, Request, SpeechModel, SpeechOptions};

use super::Backend;
use crate::problem::Problem;

impl Backend {
    /// What was chosen for speech: asks for it ([`Request::SpeechOptions`]) or changes it ([`Request::SetSpeechOptions`]).
    pub(crate) async fn speech_options(self, request: Request) -> Result<SpeechOptions, Problem> {
        match self.client.execute(request).await? {
            Reply::SpeechOptions(options) => Ok(options),
            _ => Err(Problem::nonsense()),
        }
    }

    /// The models that Kith knows.
    pub(crate) async fn models(self) -> Result<Vec<SpeechModel>, Problem> {
        match self.client.execute(Request::Models).await? {
            Reply::Models(models) => Ok(models),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Does something with a model that answers with how it stands then: [`Request::ImportModel`], [`Request::BenchModel`].
    pub(crate) async fn model(self, request: Request) -> Result<SpeechModel, Problem> {
        match self.client.execute(request).await? {
            Reply::Model(model) => Ok(model),
            _ => Err(Problem::nonsense()),
        }
    }

    /// How voice notes of a chat are listened to: asks for it ([`Request::Listening`]) or changes it ([`Request::SetListening`]).
    pub(crate) async fn listening(self, request: Request) -> Result<Listening, Problem> {
        match self.client.execute(request).await? {
            Reply::Listening(listening) => Ok(listening),
            _ => Err(Problem::nonsense()),
        }
    }
}
