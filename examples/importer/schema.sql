-- No primary key, on purpose: were a batch written twice, its rows would stand here twice.
create table orders (
  line     int            not null,
  customer text           not null,
  city     text           not null,
  ordered  date           not null,
  amount   numeric(10, 2) not null
);

create table refused_lines (
  line int  not null,
  why  text not null,
  text text not null
);
