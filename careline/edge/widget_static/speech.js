/* Words, times and sizes in the visitor's language. */
export async function learn(language) {
  const words = (await import(language === "es" ? "./words_es.js" : "./words_en.js")).default;
  return new Speech(words, language);
}

class Speech {
  constructor(words, language) {
    this.words = words;
    this.language = language;
    this.clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
    this.date = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
  }

  time(at) {
    return this.clock.format(at);
  }

  day(at) {
    const days = Math.round((startOfDay(new Date()) - startOfDay(at)) / 86_400_000);
    return days === 0 ? this.words.today : days === 1 ? this.words.yesterday : this.date.format(at);
  }

  /* "today at 14:00", "Monday at 09:00" within a week, with the date beyond. */
  moment(at) {
    const days = Math.round((startOfDay(at) - startOfDay(new Date())) / 86_400_000);
    if (days === 0) return this.words.todayAt(this.time(at));
    const day = days < 7 ? { weekday: "long" } : { weekday: "long", day: "numeric", month: "long" };
    return this.words.dayAt(new Intl.DateTimeFormat(this.language, day).format(at), this.time(at));
  }

  span(seconds) {
    if (seconds < 90) return this.words.seconds(Math.max(5, Math.ceil(seconds / 5) * 5));
    if (seconds < 5400) return this.words.minutes(Math.ceil(seconds / 60));
    return this.words.hours(Math.ceil(seconds / 3600));
  }

  size(bytes) {
    const [value, unit] = bytes < 1e6 ? [Math.max(1, bytes / 1000), "kilobyte"] : [bytes / 1e6, "megabyte"];
    return new Intl.NumberFormat(this.language, { style: "unit", unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
  }
}

function startOfDay(at) {
  const day = new Date(at);
  return day.setHours(0, 0, 0, 0);
}
