// Creates and finds elements. Strings from results files are inserted as text, never as markup.

const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") element.textContent = value;
    else if (name === "click") element.addEventListener("click", value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// A long name, such as a task or a folder, that can be wrapped after an underscore or a slash only.
function breakable(name) {
  const fragment = document.createDocumentFragment();
  name.split(/(?<=[_/])/).forEach((part, index) => fragment.append(...(index ? [make("wbr")] : []), part));
  return fragment;
}

function fillSelect(select, options, selected) {
  select.replaceChildren(...options.map(([value, text]) => make("option", { value, text })));
  select.value = options.some(([value]) => value === selected) ? selected : options[0][0];
}

function plural(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}
