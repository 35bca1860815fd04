// What is known of each vendor without asking it.

#include "vendors/vendor_wire.hpp"

namespace vf::vendors {

std::string_view VendorName(Vendor vendor) {
    switch (vendor) {
        case Vendor::kElevenLabs: return "elevenlabs";
        case Vendor::kOpenAi: return "openai";
        case Vendor::kCartesia: return "cartesia";
    }
    return "";
}

std::optional<Vendor> ParseVendor(std::string_view name) {
    for (const Vendor vendor : {Vendor::kElevenLabs, Vendor::kOpenAi, Vendor::kCartesia}) {
        if (VendorName(vendor) == name) return vendor;
    }
    return std::nullopt;
}

std::string_view DisplayName(Vendor vendor) {
    switch (vendor) {
        case Vendor::kElevenLabs: return "ElevenLabs";
        case Vendor::kOpenAi: return "OpenAI";
        case Vendor::kCartesia: return "Cartesia";
    }
    return "";
}

std::string DefaultUrl(Vendor vendor) {
    switch (vendor) {
        case Vendor::kElevenLabs: return "https://api.elevenlabs.io";
        case Vendor::kOpenAi: return "https://api.openai.com/v1";
        case Vendor::kCartesia: return "https://api.cartesia.ai";
    }
    return "";
}

std::string DefaultModel(Vendor vendor) {
    switch (vendor) {
        case Vendor::kElevenLabs: return "eleven_multilingual_v2";
        case Vendor::kOpenAi: return "gpt-4o-mini-tts";
        case Vendor::kCartesia: return "sonic-3";
    }
    return "";
}

const std::vector<std::string>& DefaultLanguages(Vendor vendor) {
    static const std::vector<std::string> kElevenLabs{
        "en", "ja", "zh", "de", "hi", "fr", "ko", "pt", "it", "es", "id", "nl", "tr", "fil", "pl",
        "sv", "bg", "ro", "ar", "cs", "el", "fi", "hr", "ms", "sk", "da", "ta", "uk", "ru"};
    static const std::vector<std::string> kOpenAi{
        "en", "af", "ar", "hy", "az", "be", "bs", "bg", "ca", "zh", "hr", "cs", "da", "nl", "et",
        "fi", "fr", "gl", "de", "el", "he", "hi", "hu", "is", "id", "it", "ja", "kn", "kk", "ko",
        "lv", "lt", "mk", "ms", "mr", "mi", "ne", "no", "fa", "pl", "pt", "ro", "ru", "sr", "sk",
        "sl", "es", "sw", "sv", "tl", "ta", "th", "tr", "uk", "ur", "vi", "cy"};
    static const std::vector<std::string> kCartesia{"en", "fr", "de", "es", "pt", "zh", "ja", "hi",
                                                    "it", "ko", "nl", "pl", "ru", "sv", "tr"};
    switch (vendor) {
        case Vendor::kElevenLabs: return kElevenLabs;
        case Vendor::kOpenAi: return kOpenAi;
        case Vendor::kCartesia: break;
    }
    return kCartesia;
}

void SetAbilities(Vendor vendor, engines::Voice& voice) {
    voice.engine = VendorName(vendor);
    voice.sample_rate = kSampleRate;
    voice.quality = "standard";
    voice.technology = "neural";
    voice.licence = "proprietary";
    voice.tells_times = vendor != Vendor::kOpenAi;
    voice.takes_expression = vendor == Vendor::kElevenLabs;
    switch (vendor) {
        case Vendor::kElevenLabs:
            voice.speed_min = 0.7;
            voice.speed_max = 1.2;
            break;
        case Vendor::kOpenAi:
            voice.speed_min = 0.25;
            voice.speed_max = 4;
            break;
        case Vendor::kCartesia:
            voice.speed_min = 0.6;
            voice.speed_max = 1.5;
            break;
    }
}

std::vector<VendorVoice> KnownVoices(Vendor vendor) {
    std::vector<VendorVoice> voices;
    if (vendor != Vendor::kOpenAi) return voices;
    for (const char* name : {"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin",
                             "nova", "onyx", "sage", "shimmer", "verse"}) {
        voices.push_back({name, name, {}, "neutral"});
    }
    return voices;
}

}  // namespace vf::vendors
