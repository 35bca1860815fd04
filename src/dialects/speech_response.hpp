#pragma once
// What the dialects have in common when they answer with audio.

#include "dictionaries/dictionaries.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "speech/speech.hpp"

namespace vf::dialects {

// A 200 with the audio's media type and what is known of the speech; the body is to be set.
// Tells the speech what became of it.
http::Response AudioResponse(const std::shared_ptr<speech::Speech>& speech);

// Who asks, and where: what plan, budgets and usage go by.
void Sign(speech::SpeechRequest& speech, const http::Request& request);

// The pronunciation dictionaries of a request: those that it names, else the team's own; and the
// ones that SSML's <lexicon> asks for, by name. To be called after Sign. Errors: those of
// dictionaries::Dictionaries::LoadAll.
Task<Result<void>> UseDictionaries(speech::SpeechRequest& speech,
                                   dictionaries::Dictionaries& dictionaries,
                                   std::vector<dictionaries::Locator> named = {});

// A client that goes away stops the engines.
void AbandonOnCancel(http::Request& request, const speech::Speech& speech);

}  // namespace vf::dialects
