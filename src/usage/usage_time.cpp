// Periods and their wire form.
#include <charconv>

#include "usage/usage_service.hpp"

namespace vf::usage {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month;
using std::chrono::year_month_day;

// Takes `digits` digits and the character behind them; -1 when they are not there.
int TakeNumber(std::string_view& text, std::size_t digits, char behind) {
    int number = 0;
    if (text.size() < digits) return -1;
    const char* end = text.data() + digits;
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || text[0] == '-') return -1;
    text.remove_prefix(digits);
    if (behind != '\0') {
        if (!text.starts_with(behind)) return -1;
        text.remove_prefix(1);
    }
    return number;
}

bool IsFirstOfMonth(Time time) {
    const auto day = floor<days>(time);
    return time == day && year_month_day(day).day() == std::chrono::day(1);
}

}  // namespace

Period MonthOfTime(Time time) {
    const year_month_day day(floor<days>(time));
    const year_month month = day.year() / day.month();
    return {sys_days(month / 1), sys_days((month + months(1)) / 1)};
}

Period PeriodBefore(Period period) {
    if (IsFirstOfMonth(period.from) && MonthOfTime(period.from) == period) {
        return MonthOfTime(period.from - std::chrono::milliseconds(1));
    }
    return {period.from - (period.to - period.from), period.from};
}

std::optional<Time> ParseTime(std::string_view text) {
    const int year = TakeNumber(text, 4, '-');
    const int month = TakeNumber(text, 2, '-');
    const int day = TakeNumber(text, 2, '\0');
    if (year < 0 || month < 0 || day < 0) return std::nullopt;
    const year_month_day date(std::chrono::year(year),
                              std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day)));
    if (!date.ok()) return std::nullopt;
    const Time midnight = sys_days(date);
    if (text.empty()) return midnight;
    if (!text.starts_with('T')) return std::nullopt;
    text.remove_prefix(1);
    const int hour = TakeNumber(text, 2, ':');
    const int minute = TakeNumber(text, 2, ':');
    const int second = TakeNumber(text, 2, '\0');
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
        return std::nullopt;
    }
    int millis = 0;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        int scale = 100;
        std::size_t digits = 0;
        while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
            millis += (text[0] - '0') * scale;  // what is finer than a millisecond counts nothing
            scale /= 10;
            text.remove_prefix(1);
            ++digits;
        }
        if (digits == 0 || digits > 9) return std::nullopt;
    }
    if (text != "Z") return std::nullopt;
    return midnight + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second) + std::chrono::milliseconds(millis);
}

}  // namespace vf::usage
