create table if not exists orders (
  id int generated always as identity primary key,
  customer text not null,
  cents int not null,
  -- Judged at COMMIT: what is answered before it may turn out to be wrong.
  constraint one_order_each unique (customer) deferrable initially deferred
);
